"""LinkedIn: an issuer with a path, no nonce in the ID token, email_verified a string there and a boolean in userinfo, locale an
object, comma-separated scopes, and no PKCE unless the application asked for it."""
import secrets
import time

from flask import jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey

from .engine import PEOPLE, app, authorize, bearer, exchange, here, know, tokens

key = RSAKey.generate_key(2048, {"kid": "linkedin-1", "use": "sig", "alg": "RS256"})


def issuer():
    return here["base"] + "/linkedin/oauth"


@app.get("/linkedin/oauth/.well-known/openid-configuration")
def linkedin_discovery():
    return jsonify({
        "issuer": issuer(), "authorization_endpoint": issuer() + "/v2/authorization", "token_endpoint": issuer() + "/v2/accessToken",
        "userinfo_endpoint": here["base"] + "/linkedin/v2/userinfo", "jwks_uri": issuer() + "/openid/jwks",
        "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"], "scopes_supported": ["openid", "profile", "email"]})


@app.get("/linkedin/oauth/openid/jwks")
def linkedin_keys():
    return jsonify({"keys": [key.as_dict(private=False)]})


@app.get("/linkedin/oauth/v2/authorization")
def linkedin_authorize():
    return authorize({"error": "user_cancelled_login", "error_description": "The user cancelled LinkedIn login"})


def claims(granted):
    person = PEOPLE[granted["person"]]
    name = person["name"] or person["login"]
    known = {"sub": person["linkedin"], "name": name, "given_name": name.split()[0], "family_name": name.split()[-1],
             "picture": "https://media.example/x.jpg", "locale": {"country": "US", "language": "en"}}
    if person["confirmed"] and "email" in granted["scope"]:
        known.update({"email": person["confirmed"], "email_verified": True})
    return known


@app.post("/linkedin/oauth/v2/accessToken")
def linkedin_token():
    if request.form.get("code_verifier"):
        return jsonify({"error": "invalid_client", "error_description": "Client authentication failed"}), 401
    status, body = exchange()
    if status != 200:
        return jsonify({"error": body.get("error"), "error_description": body.get("error_description", "")}), status
    granted = tokens.pop(body["access_token"])
    token = know("AQ" + secrets.token_urlsafe(80), granted["person"], granted["scope"], granted["client"])
    scopes = granted["scope"].replace(",", " ").split()
    answer = {"access_token": token, "expires_in": 5183999, "scope": ",".join(sorted(scopes)), "token_type": "Bearer"}
    if "openid" in scopes:
        now = int(time.time())
        known = claims(granted) | {"locale": "en_US"}
        if "email" in known:
            known["email_verified"] = "true"
        known |= {"iss": issuer(), "aud": granted["client"], "iat": now, "exp": now + 3600}
        answer["id_token"] = jwt.encode({"alg": "RS256", "kid": "linkedin-1"}, known, key)
    return jsonify(answer)


@app.get("/linkedin/v2/userinfo")
def linkedin_userinfo():
    _, granted = bearer()
    if not granted:
        return jsonify({"status": 401, "code": "INVALID_ACCESS_TOKEN", "message": "Invalid access token"}), 401
    return jsonify(claims(granted))
