"""The SMS API of Nexmo (Vonage), `POST /sms/json`, written from its OpenAPI description and its tables of errors: no emulator of
anybody else's exists.

Account: key abcd1234, secret ABCDEF0123456789; or the same by HTTP Basic. Numbers ending in 0006 are unroutable, 0007 barred, 0029 not
on the white list, 0033 deactivated.
GET or POST /__ctl/messages: what was taken, each with `to`, `from`, `text` as the phone shows it, `type`, `ref`, `ttl` and `parts`.
/__ctl/attempts: the `client-ref` of all that was ever posted, whatever became of it. POST /__ctl/forget: both are empty again.
POST /__ctl/fault?name=…[&times=N][&taken=1] is what goes wrong with the next N (one) posts, `taken` after the message was taken:
status-N, http-N (with &wait=S also `Retry-After`), partial, short, html, nothing, drop, slow; `none` ends it."""
import json
import secrets
import socket
import time

from flask import Flask, Response, jsonify, request

from serving import Controls, serve

KEY, SECRET = "abcd1234", "ABCDEF0123456789"
TEXTS = {
    1: "Throughput Rate Exceeded - please wait [ 250 ] and retry", 2: "Missing %s param", 3: "%s address is not numeric",
    4: "Bad Credentials", 5: "Internal Error", 6: "Unroutable message - rejected", 7: "Blacklisted destination - rejected",
    8: "Partner account barred", 9: "Quota Exceeded - rejected", 12: "Message too long", 14: "Invalid Signature",
    15: "Illegal Sender Address - rejected", 22: "Invalid Network Code", 23: "Invalid Callback Url",
    29: "Non White-listed Destination - rejected", 33: "Number deactivated",
}
NUMBERS = {"0006": 6, "0007": 7, "0029": 29, "0033": 33}
GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
          "abcdefghijklmnopqrstuvwxyzäöñüà")
TWO_SEPTETS = set("^{}\\[~]|€\f")
app = Flask(__name__)
Controls(app, {})
messages, attempts, fault = [], [], {"left": 0}


@app.route("/__ctl/messages", methods=["GET", "POST"])
def told_messages():
    return jsonify(messages)


@app.route("/__ctl/attempts", methods=["GET", "POST"])
def told_attempts():
    return jsonify(attempts)


@app.post("/__ctl/forget")
def forget():
    messages.clear()
    attempts.clear()
    return jsonify({})


@app.post("/__ctl/fault")
def set_fault():
    fault.clear()
    fault.update(request.args)
    fault["left"] = int(request.args.get("times", "1")) if request.args.get("name") not in (None, "", "none") else 0
    return jsonify({})


@app.post("/sms/json")
def sms():
    given = request.form.to_dict()
    attempts.append(given.get("client-ref", ""))
    if fault["left"] == 0:
        return jsonify(answer(given))
    fault["left"] -= 1
    if fault.get("taken"):
        answer(given)
    return failing(fault["name"], fault.get("wait"), given)


def failing(name, wait, given):
    kind, _, number = name.partition("-")
    if kind == "status":
        return jsonify(refusal(int(number)))
    if kind == "http":
        return Response(json.dumps({"title": "error"}), int(number), {"Retry-After": wait} if wait else {})
    if kind == "partial":
        return jsonify({"message-count": "2", "messages": [taken(given, "0C1"), refusal(9)["messages"][0]]})
    if kind == "short":
        return jsonify({"message-count": "2", "messages": [taken(given, "0C1")]})
    if kind == "html":
        return "<html>Bad gateway</html>"
    if kind == "slow":
        time.sleep(60)
    if kind == "drop":
        # Whoever waits hears that nobody is there any more, without a byte of an answer.
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ""


def refusal(status, about=""):
    text = TEXTS.get(status, "Error")
    return {"message-count": "1", "messages": [{"status": str(status), "error-text": text % about if "%s" in text else text}]}


def taken(given, name):
    told = {"to": given.get("to"), "message-id": name, "status": "0", "remaining-balance": "15.53590000",
            "message-price": "0.03330000", "network": "23410"}
    return {**told, "client-ref": given["client-ref"]} if given.get("client-ref") else told


def answer(given):
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        given = {"api_key": basic.username, "api_secret": basic.password, **given}
    for name in ("api_key", "to", "from", "text"):
        if not given.get(name):
            return refusal(2, name)
    if (given["api_key"], given.get("api_secret")) != (KEY, SECRET):
        return refusal(4)
    to, text, kind = given["to"], given["text"], given.get("type", "text")
    if not (to.isascii() and to.isdigit() and 7 <= len(to) <= 15):
        return refusal(3, "to")
    if to[-4:] in NUMBERS:
        return refusal(NUMBERS[to[-4:]])
    if kind not in ("text", "unicode") or not 20_000 <= int(given.get("ttl", "20000")) <= 604_800_000:
        return refusal(3, "ttl or type")
    if len(given["from"]) > (15 if given["from"].isdigit() else 11):
        return refusal(15)
    if len(text) > 3200:
        return refusal(12)
    shown = text if kind == "unicode" else "".join(c if c in GSM or c in TWO_SEPTETS else "?" for c in text)
    parts = in_parts(text, kind)
    messages.append({"to": to, "from": given["from"], "text": shown, "type": kind, "ref": given.get("client-ref", ""),
                     "ttl": given.get("ttl", ""), "parts": parts})
    return {"message-count": str(parts), "messages": [taken(given, f"0C{secrets.token_hex(7).upper()}") for _ in range(parts)]}


def in_parts(text, kind):
    if kind == "unicode":
        length, one, each = len(text.encode("utf-16-be")) // 2, 70, 67
    else:
        length, one, each = sum(2 if c in TWO_SEPTETS else 1 for c in text), 160, 153
    return 1 if length <= one else -(-length // each)


if __name__ == "__main__":
    serve(app, lambda own: None)
