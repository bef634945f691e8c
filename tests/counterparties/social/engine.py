"""The protocol: Authlib's authorization server, with clients, codes and tokens in memory."""
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, json, jsonify, redirect, request

from serving import Controls, is_ours
from urllib.parse import urlencode

CLIENTS = {"social-client": "social-secret", "second-client": "second-secret"}
PEOPLE = {
    "alice": {
        "id": 1001, "login": "alice", "name": "Alice Example", "email": None, "facebook": 10158000000000001, "linkedin": "782bbtaQ",
        "x": "1400000000000000001", "confirmed": "alice@example.test",
        "emails": [["1001+alice@users.noreply.example", True, False], ["alice@example.test", True, True]],
    },
    # On GitHub the primary address is not verified; Facebook and X know none.
    "bob": {
        "id": 1002, "login": "bob", "name": None, "email": "bob@example.test", "facebook": 10158000000000002, "linkedin": "b0b",
        "x": "2", "confirmed": None, "emails": [["bob@example.test", False, True], ["bob.verified@example.test", True, False]],
    },
    "carol": {
        "id": 1003, "login": "carol", "name": "Cårôl 😀", "email": None, "facebook": 10158000000000003, "linkedin": "car0l",
        "x": "3", "confirmed": "carol@example.test", "emails": [],
    },
}
app = Flask("social")
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 7200, "refresh_token": 7200}
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
controls = Controls(app, PEOPLE)
# What begins with http is our own address, known when we listen.
here = {"base": ""}
codes, tokens, refresh_tokens = {}, {}, {}


class Client(ClientMixin):
    def __init__(self, client_id):
        self.client_id = client_id

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, address):
        return is_ours(address)

    def check_client_secret(self, secret):
        return CLIENTS[self.client_id] == secret

    def check_endpoint_auth_method(self, method, endpoint):
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, kind):
        return kind == "code"

    def check_grant_type(self, kind):
        return kind in ("authorization_code", "refresh_token")


class Code(AuthorizationCodeMixin):
    def __init__(self, **known):
        self.__dict__.update(known)

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def save_authorization_code(self, code, asking):
        data = asking.payload.data
        codes[controls.gave(code)] = Code(
            code=code, client_id=asking.client.client_id, redirect_uri=asking.payload.redirect_uri, at=time.time(),
            scope=asking.payload.scope or "", person=asking.user, code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"))

    def query_authorization_code(self, code, client):
        found = codes.get(code)
        return found if found and found.client_id == client.client_id and time.time() - found.at < 600 else None

    def delete_authorization_code(self, code):
        codes.pop(code.code, None)

    def authenticate_user(self, code):
        return code.person


class Refreshable:
    def __init__(self, person, scope, client_id):
        self.person, self.scope, self.client_id = person, scope, client_id

    def check_client(self, client):
        return client.client_id == self.client_id

    def get_scope(self):
        return self.scope


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, token):
        # Rotated: each is good for once.
        return refresh_tokens.pop(token, None)

    def authenticate_user(self, found):
        return found.person

    def revoke_old_credential(self, found):
        pass


def keep(token, asking):
    client_id = asking.client.client_id
    know(token["access_token"], asking.user, token.get("scope", ""), client_id)
    if token.get("refresh_token"):
        refresh_tokens[controls.gave(token["refresh_token"])] = Refreshable(asking.user, token.get("scope", ""), client_id)


def know(token, person, scope, client_id):
    """From now on this token is somebody's."""
    tokens[controls.gave(token)] = {"person": person, "scope": scope, "client": client_id}
    return token


server = AuthorizationServer(app, query_client=lambda name: Client(name) if name in CLIENTS else None, save_token=keep)
server.register_grant(CodeGrant, [CodeChallenge(required=False)])
server.register_grant(RefreshGrant)


def authorize(refusal, fragment=""):
    """The authorization endpoint: whoever it is agrees by itself, but `deny`."""
    person = request.args.get("login") or request.args.get("login_hint") or controls.settings["next"]
    address, state = request.args.get("redirect_uri"), request.args.get("state")
    if request.args.get("client_id") not in CLIENTS:
        return "This is not the web page you are looking for.", 404
    if not is_ours(address):
        return "URL blocked: the redirect URI is not white-listed.", 400
    if person == "deny":
        return redirect(address + "?" + urlencode({**refusal, **({"state": state} if state else {})}) + fragment)
    try:
        response = server.create_authorization_response(grant_user=person)
    except OAuth2Error as error:
        return jsonify(dict(error.get_body())), error.status_code
    if response.status_code == 302:
        response.headers["Location"] += fragment
    return response


def exchange():
    """The token endpoint: status and body, to be dressed in a dialect."""
    response = server.create_token_response()
    return response.status_code, json.loads(response.get_data())


def bearer():
    """The token of a call to the API, and what it may."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = given if scheme.lower() in ("bearer", "token") else request.values.get("access_token", "")
    return token, tokens.get(token)
