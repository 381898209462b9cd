#!/usr/bin/env python3
"""The accounts of a (made-up) cryogenics laboratory, as Vestibule's remote backend asks for them.

    LAB_TOKEN_FILE=token ./service.py 127.0.0.1:8801
    ./service.py unix:/run/cryolab/vestibule.sock

Python 3.11 and its standard library. What is asked and answered is in docs/remote-backend.md.
"""

import hashlib
import hmac
import http.server
import json
import os
import socketserver
import sys

# Badge, login name, names, mail, groups, state; the password as scrypt has it. The badge stays when
# somebody is renamed: it is the subject.
PEOPLE = [
    {"badge": "4711", "login": "ann", "first": "Ann", "last": "Able", "mail": "ann@cryolab.example",
     "groups": ["dewar-3", "staff"], "state": "active", "salt": "5bd102ff6a9e41c3",
     "password": "0b72371c91799efaf8d54e417bcabe864b95eec3071667f7450b8f12f09dbab2"},
    {"badge": "4712", "login": "bert", "first": "Bert", "last": "Baker", "mail": None,
     "groups": ["staff"], "state": "active", "salt": "77aa3c5e9b1f2d04",
     "password": "1182e673216ec7655ef27a9e07f7ed6a01ea6e216cb7f966625735ee0c5d6ca4"},
    {"badge": "4713", "login": "carl", "first": "Carl", "last": "Cooper", "mail": None,
     "groups": [], "state": "left", "salt": "c0de9a7e55e1b2f8",
     "password": "c6adc770b62834e1db37833ba4ab689fcafc92e5133d7ed3b8ae7d784ecfc016"},
]
NOBODY = {"salt": "0123456789abcdef", "password": ""}
LARGEST_QUESTION = 64 * 1024


def digest(password, salt):
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()


def find(login):
    return next((one for one in PEOPLE if one["login"] == login.strip().lower()), None)


def authenticate(question):
    credential = question["credential"]
    if credential["kind"] != "password":
        return {"verdict": "not_mine", "reason": "wrong_kind"}
    one = find(credential["username"])
    # A name that nobody has takes as long as a wrong password.
    known = one or NOBODY
    is_right = hmac.compare_digest(digest(credential["password"], known["salt"]), known["password"])
    if one is None or not is_right:
        return {"verdict": "rejected", "reason": "bad_or_unknown"}
    return person(one)


def judge(question):
    one = find(question["username"])
    return person(one) if one else {"verdict": "rejected", "reason": "not_entitled"}


def probe(_question):
    return {"verdict": "ready", "about": f"cryolab, {len(PEOPLE)} people"}


def person(one):
    """Who somebody is, once that is sure. What is not known is left out: nothing is null."""
    if one["state"] != "active":
        return {"verdict": "rejected", "reason": "disabled", "detail": one["state"]}
    answer = {
        "verdict": "verified", "subject": one["badge"], "username": one["login"],
        "first_name": one["first"], "last_name": one["last"], "groups": one["groups"],
    }
    if one["mail"]:
        # The laboratory makes sure of nobody's address.
        answer["emails"] = [{"address": one["mail"], "verified": False}]
    return answer


QUESTIONS = {"/authenticate": authenticate, "/judge": judge, "/probe": probe}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    token = None

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= LARGEST_QUESTION:
            self.close_connection = True
            return self.answer(413, {})
        body = self.rfile.read(length)
        given = self.headers.get("Authorization", "")
        if self.token and not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return self.answer(401, {})
        if self.path not in QUESTIONS:
            return self.answer(404, {})
        try:
            question = json.loads(body)
            if question["version"] != 1:
                return self.answer(400, {})
            told = QUESTIONS[self.path](question)
        except (KeyError, TypeError, ValueError, AttributeError):
            return self.answer(400, {})
        except Exception as error:  # whatever it is: nobody was refused, nothing was found out
            print(f"cryolab: {type(error).__name__}", file=sys.stderr)
            told = {"verdict": "fault", "kind": "bug", "what": type(error).__name__}
        self.answer(200, {"version": 1, "id": question["id"], **told})

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        # Over a Unix socket nobody has an address.
        return self.client_address[0] if self.client_address else "socket"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: service.py 127.0.0.1:PORT | unix:/PATH")
    where = sys.argv[1]
    if file := os.environ.get("LAB_TOKEN_FILE"):
        with open(file, encoding="ascii") as opened:
            Handler.token = opened.read().strip()
    if where.startswith("unix:"):
        path = where.removeprefix("unix:")
        if os.path.exists(path):
            os.unlink(path)
        # Who may open the socket may ask: its owner and its group.
        os.umask(0o117)
        server = UnixServer(path, Handler)
    else:
        if not Handler.token:
            sys.exit("service.py: LAB_TOKEN_FILE is missing: everybody could try passwords here")
        host, _, port = where.rpartition(":")
        server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
