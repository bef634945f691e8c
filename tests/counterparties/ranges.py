"""Ranges of hashes of breached passwords, as Have I Been Pwned gives them: GET /range/ABCDE, five hexadecimal characters.

Knows the passwords of POST /__ctl/passwords ([…]), each with the count 7. With `Add-Padding` an answer has at least 800 lines; what
was added counts 0. POST /__ctl/fault?name= with slow, refused, html, empty, hangup, redirect, or nothing; GET /__ctl/log is what was
asked, with its headers."""
import hashlib
import os
import re
import socket
import time

from flask import Flask, Response, jsonify, redirect, request

from serving import serve

app = Flask(__name__)
known, log, settings = set(), [], {"fault": ""}
PADDED = 800


def random_suffix():
    return os.urandom(18).hex().upper()[:35]


@app.get("/range/<prefix>")
def ranges(prefix):
    log.append({"path": request.path, "query": request.query_string.decode(), "headers": dict(request.headers.items())})
    fault = settings["fault"]
    if fault == "slow":
        time.sleep(30)
    if fault == "refused":
        return "Rate limit is exceeded.", 429
    if fault == "html":
        return "<html>please log in to this network</html>"
    if fault == "empty":
        return ""
    if fault == "redirect":
        return redirect("/range/" + prefix + "?again")
    if fault == "hangup":
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    if not re.fullmatch("[0-9A-F]{5}", prefix):
        return "The hash prefix was not in a valid format", 400
    lines = [f"{one[5:]}:7" for one in known if one.startswith(prefix)]
    # A real range has hundreds of hashes of its own.
    lines += [f"{random_suffix()}:1" for _ in range(20)]
    if request.headers.get("Add-Padding", "").lower() == "true":
        lines += [f"{random_suffix()}:0" for _ in range(PADDED - len(lines))]
    return Response("\r\n".join(sorted(lines)), content_type="text/plain")


@app.post("/__ctl/passwords")
def passwords():
    known.clear()
    known.update(hashlib.sha1(one.encode()).hexdigest().upper() for one in request.get_json(force=True))
    return jsonify({})


@app.post("/__ctl/fault")
def fault():
    settings["fault"] = request.args.get("name", "")
    return jsonify({})


@app.get("/__ctl/log")
def asked():
    return jsonify(log)


if __name__ == "__main__":
    serve(app, lambda own: None)
