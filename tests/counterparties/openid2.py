"""An OpenID 2.0 provider. Associations, signatures, direct verification and both extensions are python3-openid's.

    /                     its own identifier: people choose who they are (the person of POST /__ctl/next?account= agrees by itself)
    /id/NAME              a person's identifier, by XRDS (Accept) and by the header X-XRDS-Location
    /html/NAME            one by the links of an HTML page alone, for whom the provider's name is /id/NAME
    /meta/NAME            one by <meta http-equiv>
    /server               the endpoint
    /openid/login         the endpoint again, with Steam's habits: identifiers https://steamcommunity.com/openid/id/NUMBER
    /ISteamUser/GetPlayerSummaries/v0002/    Steam's Web API, with the key steam-key

`deny` says no; `delegated` claims /html/alice. POST /__ctl/user?account= {…} changes what is known about somebody; GET /__ctl/log.
POST /__ctl/fault?name= with one of the names below, or nothing:
    cancel, setup-needed, error        it says no
    bad-sig, no-sig, unsigned-FIELD    the signature is wrong, is missing, leaves out a field
    unsigned-email                     addresses of somebody else beside what is signed
    foreign-claimed-id                 it speaks for POST /__ctl/foreign?name=
    wrong-return-to, wrong-op-endpoint, wrong-identity, nobody
    old-nonce, future-nonce, bad-nonce
    openid1                            it answers as of 1.1
    check-503, check-html, check-no    the direct verification
"""
import html
import time
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from openid.extensions import ax, sreg
from openid.message import OPENID2_NS
from openid.server import server as openid
from openid.store.memstore import MemoryStore
from openid.yadis.constants import YADIS_CONTENT_TYPE

from serving import Controls, is_ours, serve

SERVER = "http://specs.openid.net/auth/2.0/server"
SIGNON = ["http://specs.openid.net/auth/2.0/signon", "http://openid.net/signon/1.1"]
STEAM = "https://steamcommunity.com/openid/id/"
NUMBERS = {"alice": "76561197960435530", "bob": "76561197960435531"}
TYPES = {
    "http://axschema.org/contact/email": "email",
    "http://axschema.org/namePerson": "fullname",
    "http://axschema.org/namePerson/first": "first",
    "http://axschema.org/namePerson/last": "last",
    "http://axschema.org/namePerson/friendly": "nickname",
    "http://axschema.org/pref/language": "language",
    "http://example.com/schema/groups": "groups",
}
app = Flask(__name__)
people = {}
controls = Controls(app, people)
own = {}


def person(name):
    known = {"email": f"{name}@example.test", "nickname": name, "fullname": name.title() + " Example", "first": name.title(),
             "last": "Example", "language": "en", "groups": ["staff"] + (["admins"] if name == "alice" else [])}
    return {**known, **people.get(name, {})}


def fault():
    return controls.settings.get("fault", "")


def xrds(types, local=None):
    kinds = "".join(f"<Type>{kind}</Type>" for kind in types)
    local = f"<LocalID>{html.escape(local)}</LocalID>" if local else ""
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?><xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD>'
        f'<Service priority="0">{kinds}<URI>{own["base"]}/server</URI>{local}</Service></XRD></xrds:XRDS>',
        content_type=YADIS_CONTENT_TYPE)


def links(name):
    base, name = own["base"], html.escape(name)
    return (f'<link rel="openid2.provider openid.server" href="{base}/server">'
            f'<link rel="openid2.local_id openid.delegate" href="{base}/id/{name}">')


def page(name, head, headers=None):
    name = html.escape(name)
    return Response(f"<!DOCTYPE html><html><head><title>{name}</title>{head}</head><body>{name}</body></html>", headers=headers)


@app.get("/")
def home():
    return xrds([SERVER, "http://openid.net/srv/ax/1.0", "http://openid.net/extensions/sreg/1.1"])


@app.get("/id/<name>")
def identifier(name):
    if "xrds" in request.headers.get("Accept", ""):
        return document(name)
    return page(name, links(name), {"X-XRDS-Location": f"{own['base']}/id/{name}/xrds"})


@app.get("/id/<name>/xrds")
def document(name):
    return xrds(SIGNON, f"{own['base']}/id/{name}")


@app.get("/html/<name>")
def linked(name):
    return page(name, links(name))


@app.get("/meta/<name>")
def meta(name):
    return page(name, f'<meta http-equiv="X-XRDS-Location" content="{own["base"]}/id/{html.escape(name)}/xrds">')


def sent(server, response):
    said = server.encodeResponse(response)
    return Response(said.body, said.code, {name.title(): value for name, value in said.headers.items()})


def back(address, pairs):
    """Sends people back: by a redirect, or by a form where that would be too long."""
    location = address + ("&" if "?" in address else "?") + urlencode(pairs)
    if len(location) <= 2048:
        return redirect(location)
    inputs = "".join(f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in pairs.items())
    return Response(f'<!DOCTYPE html><title>Back</title><form method="post" action="{html.escape(address)}">{inputs}<button>Continue</button>'
                    "</form><script>document.forms[0].submit()</script>")


def told(response, asked, name):
    """Answers the extensions, as far as they were asked."""
    known = person(name)
    response.addExtension(sreg.SRegResponse.extractResponse(sreg.SRegRequest.fromOpenIDRequest(asked), known))
    try:
        wanted = ax.FetchRequest.fromOpenIDRequest(asked)
    except ax.AXError:
        wanted = None
    if wanted is not None:
        answer = ax.FetchResponse(wanted)
        for kind in wanted.requested_attributes:
            value = known.get(TYPES.get(kind))
            if isinstance(value, list):
                answer.setValues(kind, value)
            elif value is not None:
                answer.addValue(kind, value)
        response.addExtension(answer)


def before_signing(fields):
    """Lies that are signed."""
    def lie(name, value):
        fields.setArg(OPENID2_NS, name, value)

    match fault():
        case "wrong-op-endpoint": lie("op_endpoint", "http://evil.example/server")
        case "wrong-return-to": lie("return_to", "http://other.example/callback")
        case "wrong-identity": lie("identity", own["base"] + "/id/somebody-else")
        case "old-nonce": lie("response_nonce", "2005-05-15T17:11:51ZUNIQUE")
        case "future-nonce": lie("response_nonce", time.strftime("%Y-%m-%dT%H:%M:%SZfuture", time.gmtime(time.time() + 900)))
        case "bad-nonce": lie("response_nonce", "UNIQUE")
        case "foreign-claimed-id":
            for name in ("claimed_id", "identity"):
                lie(name, controls.settings["foreign"])
        case "nobody":
            for name in ("claimed_id", "identity"):
                fields.delArg(OPENID2_NS, name)


def after_signing(pairs):
    """Lies that are not."""
    wrong = fault()
    if wrong == "bad-sig":
        pairs["openid.sig"] = pairs["openid.sig"][::-1]
    elif wrong == "no-sig":
        del pairs["openid.sig"]
    elif wrong == "openid1":
        for name in ("openid.ns", "openid.op_endpoint", "openid.response_nonce", "openid.claimed_id"):
            del pairs[name]
    elif wrong == "unsigned-email":
        for name in [name for name in pairs if ".ax" in name or ".sreg" in name]:
            del pairs[name]
        pairs.update({
            "openid.ns.ax": "http://openid.net/srv/ax/1.0", "openid.ax.mode": "fetch_response",
            "openid.ax.type.email": "http://axschema.org/contact/email", "openid.ax.value.email": "admin@example.test",
            "openid.ns.sreg": "http://openid.net/extensions/sreg/1.1", "openid.sreg.email": "admin@example.test"})
    elif wrong.startswith("unsigned-"):
        signed = pairs["openid.signed"].split(",")
        pairs["openid.signed"] = ",".join(name for name in signed if name != wrong.removeprefix("unsigned-"))
    return pairs


def agreed(server, asked, steam):
    """A positive assertion."""
    name = controls.settings["next"]
    if not asked.idSelect():
        response, name = asked.answer(True), asked.identity.rsplit("/", 1)[-1]
    elif steam:
        response = asked.answer(True, identity=STEAM + NUMBERS[name])
    elif name == "delegated":
        name = "alice"
        response = asked.answer(True, identity=own["base"] + "/id/alice", claimed_id=own["base"] + "/html/alice")
    else:
        response = asked.answer(True, identity=own["base"] + "/id/" + name)
    if fault() != "unsigned-email":
        told(response, asked, name)
    before_signing(response.fields)
    return back(asked.return_to, after_signing(server.signatory.sign(response).fields.toPostArgs()))


@app.route("/server", methods=["GET", "POST"])
def endpoint(steam=False):
    server = own["steam" if steam else "server"]
    try:
        asked = server.decodeRequest(dict(request.values))
    except openid.ProtocolError as error:
        return Response(str(error), 400)
    if asked is None:
        return "This is an OpenID endpoint."
    if asked.mode == "check_authentication":
        return checked(server, asked)
    if asked.mode not in ("checkid_immediate", "checkid_setup"):
        return sent(server, server.handleRequest(asked))
    if not is_ours(asked.return_to.split("?")[0]):
        return Response("not to there", 403)
    if fault() == "cancel" or controls.settings["next"] == "deny":
        return sent(server, asked.answer(False))
    if fault() in ("setup-needed", "error"):
        mode = fault().replace("-", "_")
        return back(asked.return_to, {"openid.ns": OPENID2_NS, "openid.mode": mode})
    return agreed(server, asked, steam)


def checked(server, asked):
    if fault() == "check-503":
        return Response("We are sorry", 503)
    if fault() == "check-html":
        return Response("<html>Log in here</html>")
    if fault() == "check-no":
        return Response(f"ns:{OPENID2_NS}\nis_valid:false\n")
    return sent(server, server.handleRequest(asked))


@app.route("/openid/login", methods=["GET", "POST"])
def steam_endpoint():
    return endpoint(steam=True)


@app.get("/ISteamUser/GetPlayerSummaries/v0002/")
def players():
    if request.headers.get("x-webapi-key") != "steam-key":
        return Response("Forbidden", 403)
    names = [name for name, number in NUMBERS.items() if number == request.args.get("steamids")]
    return jsonify({"response": {"players": [
        {"steamid": NUMBERS[name], "personaname": person(name)["nickname"], "profileurl": f"https://steamcommunity.com/id/{name}/",
         "avatarfull": "https://avatars.steamstatic.com/a_full.jpg"} for name in names]}})


def start(base):
    own["base"] = base
    own["server"] = openid.Server(MemoryStore(), base + "/server")
    own["steam"] = openid.Server(MemoryStore(), base + "/openid/login")


if __name__ == "__main__":
    serve(app, start)
