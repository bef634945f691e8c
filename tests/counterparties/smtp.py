"""A mail server that keeps what it gets, with the faults that mail servers have. The protocol is aiosmtpd's.

Two ports, told by GET /__ctl/ports: `smtp` (STARTTLS, AUTH PLAIN and LOGIN) and `smtps` (TLS from the start), with the certificate
$CERT of ca.sh in the folder $CA. mailer / mailer-secret may log in; with $AUTH_REQUIRED everybody has to. bounce@ and whoever is
told by fault `reject` do not exist.
GET /__ctl/messages[?to=], GET /__ctl/wait?to=&n=&timeout= for mails as JSON, in the order they came; POST /__ctl/clear.
POST /__ctl/fault?name=&times=N with one of FAULTS, or nothing; without `times` until told otherwise."""
import asyncio
import email
import email.policy
import os
import ssl
import threading
import time

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from flask import Flask, jsonify, request

from serving import serve

FAULTS = {
    "", "greylist", "reject", "relay-denied", "sender-refused", "reject-data", "slow", "drop", "drop-data", "tls-required",
    "no-starttls", "auth-fail", "no-smtputf8",
}
SLOW = 60
CREDENTIALS = (b"mailer", b"mailer-secret")

app = Flask(__name__)
box, came, state, ports = [], threading.Condition(), {"name": "", "left": 0}, {}


def fault(name):
    """Whether this goes wrong now."""
    if state["name"] != name or state["left"] == 0:
        return False
    state["left"] -= 1
    return True


def part(message, kind):
    found = message.get_body((kind,))
    return found.get_content() if found else None


class Mailbox:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if fault("drop"):
            server.transport.abort()
            return "421 4.3.0 Closing"
        if fault("sender-refused"):
            return "553 5.7.1 Sender address rejected: not owned by user"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if fault("greylist"):
            return "450 4.2.0 Greylisted, try again later"
        if fault("relay-denied"):
            return "554 5.7.1 Relay access denied"
        if fault("reject") or address.startswith("bounce@"):
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if fault("slow"):
            await asyncio.sleep(SLOW)
        if fault("reject-data"):
            return "554 5.7.1 Message refused as spam"
        self.keep(server, session, envelope)
        if fault("drop-data"):
            server.transport.abort()
        return "250 2.0.0 Queued"

    def keep(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.SMTPUTF8)
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": message["subject"],
            "text": part(message, "plain"),
            "html": part(message, "html"),
            "headers": [[name, str(value)] for name, value in message.items()],
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data.decode() if isinstance(session.auth_data, bytes) else None,
            "at": time.time(),
        }
        with came:
            box.append(kept)
            came.notify_all()


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == CREDENTIALS
    good = good and not fault("auth-fail")
    return AuthResult(success=good, handled=False, auth_data=data.login if good else None)


def conversation(loop, context):
    """What answers one connection; with a context it can be upgraded to TLS."""
    return SMTP(
        Mailbox(), hostname="mail.test", ident="mail.test", loop=loop, authenticator=authenticate, auth_require_tls=False,
        auth_required=os.environ.get("AUTH_REQUIRED") == "1", enable_SMTPUTF8=state["name"] != "no-smtputf8",
        tls_context=None if state["name"] == "no-starttls" else context,
        require_starttls=context is not None and state["name"] == "tls-required",
    )


def open_doors():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = os.path.join(os.environ.get("CA", "."), os.environ.get("CERT", "localhost"))
    context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
    loop = asyncio.new_event_loop()

    def door(name, variable, upgrade, tls):
        port = int(os.environ.get(variable, "0"))
        server = loop.create_server(lambda: conversation(loop, upgrade), "127.0.0.1", port, ssl=tls)
        ports[name] = loop.run_until_complete(server).sockets[0].getsockname()[1]

    asyncio.set_event_loop(loop)
    door("smtp", "SMTP_PORT", context, None)
    door("smtps", "SMTPS_PORT", None, context)
    threading.Thread(target=loop.run_forever, daemon=True).start()


def chosen():
    to = request.args.get("to")
    return [mail for mail in box if to is None or to in mail["to"]]


@app.route("/__ctl/<what>", methods=["GET", "POST"])
def control(what):
    if what == "ports":
        return jsonify(ports)
    if what == "clear":
        box.clear()
    elif what == "fault":
        name = request.args.get("name", "")
        if name not in FAULTS:
            return jsonify({"error": "no such fault"}), 400
        state.update(name=name, left=int(request.args.get("times", "-1")))
    elif what == "wait":
        wanted, end = int(request.args.get("n", "1")), time.time() + float(request.args.get("timeout", "10"))
        with came:
            while len(chosen()) < wanted and time.time() < end:
                came.wait(max(0.01, end - time.time()))
    return jsonify(chosen())


if __name__ == "__main__":
    serve(app, lambda own: open_doors())
