"""What the servers on Python share."""
import os
import re
import sys
import threading

from flask import jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

OURS = re.compile(r"http://(127\.0\.0\.1|localhost):\d+/[\w/.-]*callback")


def is_ours(address):
    """Whoever runs on this machine may be sent back to, on whatever port."""
    return OURS.fullmatch(address or "") is not None


class Quiet(WSGIRequestHandler):
    def log_request(self, *given):
        pass


def serve(app, start):
    """Serves on $PORT, or a free one. `start` is given our own address first. Says `READY address` on standard output;
    with $UNTIL_EOF it ends with its standard input, so that no test leaves it behind."""
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), app, threaded=True, request_handler=Quiet)
    own = f"http://127.0.0.1:{server.server_port}"
    start(own)
    print(f"READY {own}", flush=True)
    if os.environ.get("UNTIL_EOF"):
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


class Controls:
    """Paths below /__ctl for the tests: who it is, what was asked, what was given away."""

    def __init__(self, app, people):
        self.settings = {"next": "alice"}
        self.issued, self.log, self.people = [], [], people
        app.after_request(self.note)
        app.add_url_rule("/__ctl/<what>", view_func=self.control, methods=["GET", "POST"])

    def note(self, response):
        if not request.path.startswith("/__ctl"):
            self.log.append(f"{request.method} {request.path} {response.status_code}")
            del self.log[:-5000]
        return response

    def gave(self, secret):
        """Remembers a secret that left the house."""
        self.issued.append(secret)
        return secret

    def control(self, what):
        if what in ("issued", "log"):
            return jsonify(getattr(self, what))
        if what == "user":
            name = request.args["account"]
            self.people[name] = {**self.people.get(name, {}), **request.get_json(force=True)}
        else:
            self.settings[what] = request.args.get("account", request.args.get("name", ""))
        return jsonify({})
