"""GitHub: errors with status 200, form-encoded unless asked otherwise, comma-separated scopes, a User-Agent wanted, the address
only at /user/emails."""
import io
import json
import secrets
from urllib.parse import parse_qsl, urlencode

from flask import Response, jsonify, request

from .engine import PEOPLE, app, authorize, bearer, codes, exchange, know, tokens

ERRORS = {
    "invalid_client": ("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."),
    "invalid_grant": ("bad_verification_code", "The code passed is incorrect or expired."),
    "invalid_request": ("bad_verification_code", "The code passed is incorrect or expired."),
}
TOKEN_PATH = "/github/login/oauth/access_token"


def dressed(pairs):
    if "json" in request.headers.get("Accept", ""):
        return jsonify(pairs)
    return Response(urlencode(pairs), content_type="application/x-www-form-urlencoded; charset=utf-8")


@app.get("/github/login/oauth/authorize")
def github_authorize():
    return authorize({"error": "access_denied", "error_description": "The user has denied your application access."})


@app.post(TOKEN_PATH)
def github_token():
    status, body = exchange()
    if status != 200:
        code, sentence = ERRORS.get(body.get("error"), (body.get("error"), ""))
        return dressed({"error": code, "error_description": sentence})
    granted = tokens.pop(body["access_token"])
    token = know("gho_" + secrets.token_hex(18), granted["person"], granted["scope"], granted["client"])
    return dressed({"access_token": token, "scope": ",".join(granted["scope"].replace(",", " ").split()), "token_type": "bearer"})


def caller():
    if not request.headers.get("User-Agent"):
        return None, Response("Request forbidden by administrative rules. Please make sure it has a User-Agent header", 403)
    _, granted = bearer()
    return granted, None if granted else (jsonify({"message": "Bad credentials", "status": "401"}), 401)


@app.get("/github/user")
def github_user():
    granted, refusal = caller()
    if refusal:
        return refusal
    person = PEOPLE[granted["person"]]
    return jsonify({
        "login": person["login"], "id": person["id"], "name": person["name"], "email": person["email"], "type": "User",
        "avatar_url": f"https://avatars.example/u/{person['id']}?v=4", "html_url": f"https://github.example/{person['login']}",
        "company": None, "blog": "", "location": None, "bio": None, "created_at": "2015-01-01T00:00:00Z"})


@app.get("/github/user/emails")
def github_emails():
    granted, refusal = caller()
    if refusal:
        return refusal
    if not {"user:email", "user"} & set(granted["scope"].replace(",", " ").split()):
        return jsonify({"message": "Not Found", "status": "404"}), 404
    emails = PEOPLE[granted["person"]]["emails"]
    return jsonify([{"email": email, "verified": verified, "primary": primary, "visibility": None}
                    for email, verified, primary in emails])


inner = app.wsgi_app


def lenient(environment, start):
    """GitHub wants neither grant_type nor redirect_uri, and takes query, form or JSON; Authlib wants a whole form."""
    if environment["PATH_INFO"] == TOKEN_PATH and environment["REQUEST_METHOD"] == "POST":
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        fields = dict(parse_qsl(environment.get("QUERY_STRING", "")))
        is_json = "json" in environment.get("CONTENT_TYPE", "")
        fields.update(json.loads(body or b"{}") if is_json else dict(parse_qsl(body.decode())))
        fields.setdefault("grant_type", "authorization_code")
        code = codes.get(fields.get("code", ""))
        if code:
            fields.setdefault("redirect_uri", code.redirect_uri)
        body = urlencode(fields).encode()
        environment.update({
            "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "QUERY_STRING": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded"})
    return inner(environment, start)


app.wsgi_app = lenient
