"""X with OAuth 2.0: PKCE required, client in the Authorization header, bodies below `data`, refresh tokens for offline.access."""
from flask import jsonify, request

from .engine import PEOPLE, app, authorize, bearer, exchange, refresh_tokens


@app.get("/x/i/oauth2/authorize")
def x_authorize():
    if not request.args.get("code_challenge") or request.args.get("code_challenge_method") != "S256":
        return "Something went wrong: you weren't able to give access to the app.", 400
    return authorize({"error": "access_denied"})


@app.post("/x/2/oauth2/token")
def x_token():
    status, body = exchange()
    if status != 200:
        error = "invalid_request" if body.get("error") == "invalid_grant" else body.get("error")
        return jsonify({"error": error, "error_description": "Value passed for the token was invalid."}), 400
    offline = "offline.access" in body.get("scope", "").split()
    if not offline:
        refresh_tokens.pop(body.pop("refresh_token", ""), None)
    return jsonify(body)


@app.get("/x/2/users/me")
def x_me():
    _, granted = bearer()
    if not granted:
        return jsonify({"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}), 401
    scopes = set(granted["scope"].split())
    if not {"users.read", "tweet.read"} <= scopes:
        return jsonify({"title": "Forbidden", "type": "about:blank", "status": 403, "detail": "Forbidden"}), 403
    person, fields = PEOPLE[granted["person"]], request.args.get("user.fields", "").split(",")
    data = {"id": person["x"], "name": person["name"] or person["login"], "username": person["login"]}
    if "profile_image_url" in fields:
        data["profile_image_url"] = "https://pbs.twimg.com/profile_images/1/a_normal.jpg"
    if "confirmed_email" in fields and "users.email" in scopes and person["confirmed"]:
        data["confirmed_email"] = person["confirmed"]
    return jsonify({"data": data})
