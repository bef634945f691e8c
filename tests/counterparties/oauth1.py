"""An OAuth 1.0a server with Twitter's paths and shapes. The protocol (signatures, nonces, timestamps) is oauthlib's.

Consumer: consumer-key, consumer-secret; other-key, other-secret. The person of POST /__ctl/next?account= agrees by itself; `deny`
cancels. POST /__ctl/user?account= {…} changes what is known about somebody; GET /__ctl/issued, GET /__ctl/log.
POST /__ctl/fault?name= with unconfirmed, no-secret, token-swap, html, slow, refused, profile-401, or nothing."""
import json
import time
from urllib.parse import parse_qsl, urlencode

from flask import Flask, Response, jsonify, redirect, request
from oauthlib.oauth1 import RequestValidator, WebApplicationServer

from serving import Controls, is_ours, serve

CONSUMERS = {"consumer-key": "consumer-secret", "other-key": "other-secret"}
PHOTO = "https://pbs.twimg.com/profile_images/1/a_normal.jpg"
PEOPLE = {
    "alice": {"id": 38895958, "id_str": "38895958", "name": "Alice Example", "screen_name": "alice",
              "email": "alice@example.test", "profile_image_url_https": PHOTO},
    # Beyond what a double holds exactly: only id_str is right.
    "big": {"id": 1400000000000000001, "id_str": "1400000000000000001", "name": "Big Id 😀", "screen_name": "big",
            "email": "big@example.test", "profile_image_url_https": PHOTO},
    "noemail": {"id": 7, "id_str": "7", "name": "No Mail", "screen_name": "noemail", "profile_image_url_https": PHOTO},
}
app = Flask(__name__)
controls = Controls(app, PEOPLE)
request_tokens, access_tokens, nonces = {}, {}, set()


class Validator(RequestValidator):
    enforce_ssl = False
    client_key_length, nonce_length, verifier_length = (5, 60), (6, 64), (8, 60)
    request_token_length = access_token_length = (10, 60)
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256")
    safe_characters = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    dummy_client, dummy_request_token, dummy_access_token = "dummy-client", "dummy-request-token", "dummy-access-token"

    def validate_client_key(self, key, asking):
        return key in CONSUMERS

    def get_client_secret(self, key, asking):
        return CONSUMERS.get(key, "dummy-secret")

    def validate_timestamp_and_nonce(self, key, timestamp, nonce, asking, request_token=None, access_token=None):
        one = (key, timestamp, nonce, request_token, access_token)
        fresh = abs(time.time() - int(timestamp)) < 300 and one not in nonces
        nonces.add(one)
        return fresh

    def validate_redirect_uri(self, key, uri, asking):
        return is_ours(uri)

    def validate_requested_realms(self, key, realms, asking):
        return True

    def validate_realms(self, *given, **named):
        return True

    def get_realms(self, token, asking):
        return []

    def get_default_realms(self, key, asking):
        return []

    def save_request_token(self, token, asking):
        request_tokens[controls.gave(token["oauth_token"])] = {
            "secret": controls.gave(token["oauth_token_secret"]), "client": asking.client_key, "callback": asking.redirect_uri}

    def validate_request_token(self, key, token, asking):
        return token in request_tokens and request_tokens[token]["client"] == key

    def get_request_token_secret(self, key, token, asking):
        return request_tokens.get(token, {}).get("secret", "dummy")

    def verify_request_token(self, token, asking):
        return token in request_tokens

    def get_redirect_uri(self, token, asking):
        return request_tokens[token]["callback"]

    def save_verifier(self, token, verifier, asking):
        request_tokens[token]["verifier"] = controls.gave(verifier["oauth_verifier"])

    def validate_verifier(self, key, token, verifier, asking):
        return request_tokens.get(token, {}).get("verifier") == verifier

    def invalidate_request_token(self, key, token, asking):
        request_tokens.pop(token, None)

    def save_access_token(self, token, asking):
        access_tokens[controls.gave(token["oauth_token"])] = {
            "secret": controls.gave(token["oauth_token_secret"]), "client": asking.client_key,
            "person": request_tokens[asking.resource_owner_key]["person"]}

    def validate_access_token(self, key, token, asking):
        return token in access_tokens and access_tokens[token]["client"] == key

    def get_access_token_secret(self, key, token, asking):
        return access_tokens.get(token, {}).get("secret", "dummy")


protocol = WebApplicationServer(Validator())


def asked():
    return request.url, request.method, request.get_data(as_text=True), dict(request.headers.items())


def error(status, code, message):
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    return Response(body, status, content_type="application/json; charset=utf-8")


def form(pairs):
    # Twitter calls it HTML.
    return Response(urlencode(pairs), content_type="text/html;charset=utf-8")


def fault():
    return controls.settings.get("fault")


@app.post("/oauth/request_token")
def request_token():
    if fault() == "slow":
        time.sleep(60)
    if fault() == "html":
        return "<html>over capacity</html>", 503
    _, body, status = protocol.create_request_token_response(*asked())
    if status != 200 or fault() == "refused":
        return error(401, 32, "Could not authenticate you.")
    pairs = dict(parse_qsl(body))
    if fault() == "unconfirmed":
        pairs["oauth_callback_confirmed"] = "false"
    if fault() == "no-secret":
        del pairs["oauth_token_secret"]
    return form(pairs)


@app.get("/oauth/authenticate")
@app.get("/oauth/authorize")
def authorize():
    token = request.args.get("oauth_token", "")
    if token not in request_tokens:
        return "<p>This page is no longer valid.</p>", 403
    callback, person = request_tokens[token]["callback"], controls.settings["next"]
    if person == "deny":
        return redirect(callback + ("&" if "?" in callback else "?") + urlencode({"denied": token}))
    request_tokens[token]["person"] = person
    asking = f"{request.host_url}oauth/authorize?oauth_token={token}"
    headers, _, _ = protocol.create_authorization_response(asking, "GET", "", {}, credentials={})
    location = headers["Location"]
    return redirect(location.replace(token, "the-token-of-somebody-else") if fault() == "token-swap" else location)


@app.post("/oauth/access_token")
def access_token():
    _, body, status = protocol.create_access_token_response(*asked())
    if status != 200:
        return error(401, 32, "Could not authenticate you.")
    pairs = dict(parse_qsl(body))
    person = PEOPLE[access_tokens[pairs["oauth_token"]]["person"]]
    return form({"oauth_token": pairs["oauth_token"], "oauth_token_secret": pairs["oauth_token_secret"],
                 "user_id": person["id_str"], "screen_name": person["screen_name"]})


@app.get("/1.1/account/verify_credentials.json")
def verify_credentials():
    good, asking = protocol.validate_protected_resource_request(*asked())
    if not good or fault() == "profile-401":
        return error(401, 89, "Invalid or expired token.")
    person = dict(PEOPLE[access_tokens[asking.resource_owner_key]["person"]])
    if request.args.get("include_email") != "true":
        person.pop("email", None)
    return jsonify(person)


if __name__ == "__main__":
    serve(app, lambda own: None)
