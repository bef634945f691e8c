"""Facebook: versioned paths, `#_=_`, errors as objects, only the fields asked for, `@` written as \\u0040, ids per application,
and an appsecret_proof with every call. /me/photos wants the permission user_photos."""
import base64
import hashlib
import hmac
import json
import re
import secrets

from flask import Response, request

from .engine import CLIENTS, PEOPLE, app, authorize, bearer, codes, know

FIELDS = {"id", "name", "first_name", "last_name", "middle_name", "picture", "email", "gender", "birthday", "locale", "link"}


def answer(body, status=200):
    text = json.dumps(body).replace("@", "\\u0040")
    return Response(text, status, content_type="application/json; charset=UTF-8")


def error(message, code=100, kind="OAuthException", status=400):
    return answer({"error": {"message": message, "type": kind, "code": code, "fbtrace_id": secrets.token_urlsafe(8)}}, status)


@app.get("/facebook/dialog/oauth")
@app.get("/facebook/<version>/dialog/oauth")
def facebook_authorize(version=None):
    refusal = {"error": "access_denied", "error_code": "200", "error_description": "Permissions error", "error_reason": "user_denied"}
    return authorize(refusal, fragment="#_=_")


def client():
    basic = re.match(r"Basic (.+)", request.headers.get("Authorization", ""))
    if basic:
        return base64.b64decode(basic[1]).decode().split(":", 1)
    return request.values.get("client_id"), request.values.get("client_secret")


@app.route("/facebook/oauth/access_token", methods=["GET", "POST"])
@app.route("/facebook/<version>/oauth/access_token", methods=["GET", "POST"])
def facebook_token(version=None):
    name, secret = client()
    if name not in CLIENTS:
        return error("Error validating application. Cannot get application info due to a system error.", 101)
    if CLIENTS[name] != secret:
        return error("Error validating client secret.", 1)
    code = codes.pop(request.values.get("code", ""), None)
    if not code or code.client_id != name:
        return error("This authorization code has been used.")
    if request.values.get("redirect_uri") != code.redirect_uri:
        return error("Error validating verification code. Please make sure your redirect_uri is identical to the one you used.")
    verifier = request.values.get("code_verifier", "").encode()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
    if code.code_challenge and challenge != code.code_challenge:
        return error("Invalid code_verifier")
    token = know("EAA" + secrets.token_urlsafe(60), code.person, code.scope, name)
    return answer({"access_token": token, "token_type": "bearer", "expires_in": 5183944})


def caller(proof_needed):
    token, granted = bearer()
    if not granted:
        return None, error("Invalid OAuth access token - Cannot parse access token", 190)
    given = request.args.get("appsecret_proof")
    if given is None:
        return granted, error("API calls from the server require an appsecret_proof argument") if proof_needed else None
    proof = hmac.new(CLIENTS[granted["client"]].encode(), token.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given, proof):
        return None, error("Invalid appsecret_proof provided in the API argument", 100, "GraphMethodException")
    return granted, None


def scopes(granted):
    return re.split(r"[ ,]", granted["scope"])


@app.get("/facebook/me")
@app.get("/facebook/<version>/me")
def facebook_me(version=None):
    granted, refusal = caller(proof_needed=True)
    if refusal:
        return refusal
    person = PEOPLE[granted["person"]]
    name = person["name"] or person["login"]
    # Another application hears another id for the same person.
    own_id = str(person["facebook"] + 1000 * list(CLIENTS).index(granted["client"]))
    known = {"id": own_id, "name": name, "first_name": name.split()[0], "last_name": name.split()[-1],
             "picture": {"data": {"height": 50, "is_silhouette": False, "url": "https://lookaside.example/p.jpg", "width": 50}}}
    if person["confirmed"] and "email" in scopes(granted):
        known["email"] = person["confirmed"]  # absent without a word where the scope or a confirmed address lacks
    asked = [field.split("{")[0].split(".")[0] for field in request.args.get("fields", "id,name").split(",")]
    unknown = next((field for field in asked if field not in FIELDS), None)
    if unknown:
        return error(f"(#100) Tried accessing nonexisting field ({unknown})")
    return answer({field: known[field] for field in [*asked, "id"] if field in known})


@app.get("/facebook/me/photos")
@app.get("/facebook/<version>/me/photos")
def facebook_photos(version=None):
    granted, refusal = caller(proof_needed=True)
    if refusal:
        return refusal
    if "user_photos" not in scopes(granted):
        return error("(#200) Requires user_photos permission", 200, status=403)
    login = PEOPLE[granted["person"]]["login"]
    photos = [{"id": f"{number}", "name": f"{login} at the sea, {number}", "created_time": "2026-07-01T12:00:00+0000"}
              for number in (1, 2, 3)]
    return answer({"data": photos, "paging": {"cursors": {"before": "a", "after": "b"}}})
