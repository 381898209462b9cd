"""A user office: login, hash, authorization and experiments over HTTP, with faults on demand.

    office.py DIR    serves on free ports of 127.0.0.1, writes DIR/user_office.env when it listens

README.md has the paths, the people and the control API.
"""

import base64
import collections
import copy
import http.server
import json
import math
import os
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
from faults import FAULTS
from listener import CERTIFICATES, MODES, Listener, closed_port, control, wait_gone
from people import FACILITIES, experiments, people

SERVICES = ("login", "hash", "authorization", "experiments")
ORDERINGS = ("proposal_id", "subject", "body", "beam_line")
USERNAME, PASSWORD = "vestibule", "office-pass-1"
OPTIONS = {
    "username": USERNAME, "password": PASSWORD,
    "basic": ["authorization", "experiments"],  # the services that ask for our credentials
    "login_answer": "user",  # user, text, empty
    "hash_answer": "string",  # string, username, login, uid, text
    "page_size": 7, "max_page_size": 20,
}
KEPT = 500
BODY_KEPT = 65536


class World:
    """People, options, faults and what was asked: one for each name behind /w/, so that tests do not meet."""

    def __init__(self):
        self.lock = threading.RLock()
        self.reset(("people", "options", "faults", "requests"))

    def reset(self, what):
        with self.lock:
            if "people" in what:
                self.people = people()
            if "options" in what:
                self.options = copy.deepcopy(OPTIONS)
            if "faults" in what:
                self.faults = {}
            if "requests" in what:
                self.requests = collections.deque(maxlen=KEPT)
                self.counts = collections.Counter()
                self.now = collections.Counter()
                self.most_at_once = collections.Counter()

    def next_fault(self, service, listener):
        with self.lock:
            for key in (service, "*"):
                queue = self.faults.get(key, [])
                while queue:
                    wish = queue[0]
                    if wish.get("until") is not None and time.monotonic() >= wish["until"]:
                        queue.pop(0)
                        continue
                    if wish.get("listener") not in (None, listener):
                        break
                    if wish.get("times") is not None:
                        wish["times"] -= 1
                        if wish["times"] <= 0:
                            queue.pop(0)
                    return dict(wish)
        return None

    def find(self, facility, local_name):
        for one in self.people.values():
            at = one["facilities"].get(facility)
            if at is not None and at["name"] == local_name:
                return one, at
        return None, None


worlds = {}
worlds_lock = threading.Lock()
listeners = {}


def world(name):
    with worlds_lock:
        return worlds.setdefault(name, World())


def to_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "UserOffice/1"

    def __init__(self, sock, listener):
        self.listener = listener
        super().__init__(sock, sock.getpeername(), None)

    def log_message(self, *_):
        pass

    # --- writing: what the faults use --------------------------------------------------------------

    @property
    def sock(self):
        return self.connection

    def write(self, data):
        """False when the client has gone."""
        try:
            self.connection.sendall(data)
        except (OSError, ValueError):
            self.close_connection = True
            return False
        self.note["sent"] += len(data)
        return True

    def head_bytes(self, status, headers):
        headers = {"Content-Type": "application/json", "Date": self.date_time_string()} | headers
        if self.close_connection:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('Odd',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.note["status"] = status
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def head(self, status, headers):
        return self.write(self.head_bytes(status, headers))

    def send(self, status, body, headers=()):
        return self.write(self.head_bytes(status, dict(headers) | {"Content-Length": len(body)}) + body)

    def slowly(self, data, wish):
        for at in range(len(data)):
            if not self.write(data[at : at + 1]):
                return
            time.sleep(wish.get("interval", 1))

    def flood(self, head, tail, size):
        self.head(200, {"Content-Length": size})
        self.write(head)
        left = size - len(head) - len(tail)
        block = b"x" * 65536
        while left > 0 and self.write(block[:left]):
            left -= len(block)
        if left <= 0:
            self.write(tail)

    def hang(self):
        wait_gone(self.connection, 300)

    # --- reading -----------------------------------------------------------------------------------

    def serve_one(self):
        split = urllib.parse.urlsplit(self.path)
        segments = split.path.split("/")[1:]
        name, self.facility = "", FACILITIES[0]
        base = ""
        while len(segments) > 2 and segments[0] in ("w", "f"):
            kind, value, *segments = segments
            base += f"/{kind}/{value}"
            if kind == "w":
                name = urllib.parse.unquote(value)
            else:
                self.facility = urllib.parse.unquote(value)
        self.world = world(name)
        self.service = segments[0] if segments else ""
        self.rest = segments[1:]
        self.query = urllib.parse.parse_qs(split.query, keep_blank_values=True)
        self.target = self.path
        self.bait = f"http://127.0.0.1:{listeners['bait'].port}{self.path}"
        self.plain = f"http://127.0.0.1:{listeners['plain'].port}{self.path}"
        self.base = f"http{'s' if self.listener.certificate else ''}://127.0.0.1:{self.listener.port}{base}"
        authorization = self.headers.get("Authorization")
        scheme = decoded = None
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            try:
                decoded = base64.b64decode(token, validate=True).decode() if scheme.lower() == "basic" else None
            except ValueError:
                pass
        self.basic = decoded
        self.note = {
            "at": time.time(), "listener": self.listener.label, "from": self.client_address[1],
            "method": self.command, "target": self.path, "service": self.service, "facility": self.facility,
            "headers": [[key, value] for key, value in self.headers.items()],
            "scheme": scheme, "basic": decoded, "body": None, "json": None,
            "status": None, "fault": None, "sent": 0, "took": None,
        }
        label = self.service if self.service in SERVICES else "other"
        if self.listener.label == "bait":
            label = "bait"
        with self.world.lock:
            self.world.requests.append(self.note)
            self.world.counts[label] += 1
            self.world.now[label] += 1
            self.world.most_at_once[label] = max(self.world.most_at_once[label], self.world.now[label])
        began = time.monotonic()
        counted = self.world.now
        try:
            self.read_body()
            wish = self.world.next_fault(self.service, self.listener.label) if label in SERVICES else None
            if wish is None:
                self.honest()
            else:
                self.note["fault"] = wish["fault"]
                if wish["fault"] not in ("good", "delay", "drip", "chunked", "gzip"):
                    self.close_connection = True
                self.yes = self.positive()
                FAULTS[wish["fault"]]["do"](self, wish)
        finally:
            self.note["took"] = round(time.monotonic() - began, 3)
            with self.world.lock:
                counted[label] -= 1

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = serve_one

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
        else:
            body = self.rfile.read(length)
        self.note["body"] = body[:BODY_KEPT].decode("utf-8", "backslashreplace")
        try:
            self.json = json.loads(body) if body else None
        except (ValueError, RecursionError):
            self.json = None
        self.note["json"] = self.json

    # --- the truth ---------------------------------------------------------------------------------

    def honest(self):
        self.send_truth(*self.truth())

    def send_truth(self, status, headers, body):
        if status == 204:
            self.head(status, headers)
        elif self.command == "HEAD":
            self.head(status, headers | {"Content-Length": len(body)})
        else:
            self.send(status, body, headers)

    def error(self, status, text, headers=()):
        return status, dict(headers), to_json({"error": text})

    def truth(self):
        """(status, headers, body) as a well-behaved office answers."""
        if self.listener.label == "bait":
            return 200, {}, self.positive() if self.service in SERVICES else b"true"
        if self.service not in SERVICES or self.facility not in FACILITIES:
            return self.error(404, "no such service")
        if self.command not in (("GET", "HEAD") if self.service == "experiments" else ("POST",)):
            return self.error(405, "wrong method", {"Allow": "GET" if self.service == "experiments" else "POST"})
        options = self.world.options
        if self.service in options["basic"] and self.basic != f"{options['username']}:{options['password']}":
            return self.error(401, "who are you?", {"WWW-Authenticate": 'Basic realm="user office"'})
        with self.world.lock:
            return getattr(self, self.service)()

    def wanted(self, *keys):
        """The strings of the request's JSON, or None when one is missing or no string."""
        if not isinstance(self.json, dict) or self.rest:
            return None
        values = [self.json.get(key) for key in keys]
        return values if all(isinstance(value, str) and value for value in values) else None

    def login(self):
        wanted = self.wanted("username", "password")
        if wanted is None:
            return self.error(400, "username and password, please")
        one, at = self.world.find(self.facility, wanted[0])
        if one is None or one["disabled"] or one["password"] != wanted[1]:
            return self.error(401, "wrong name or password")
        return self.login_body(one, at)

    def login_body(self, one, at):
        answer = self.world.options["login_answer"]
        if answer == "empty":
            return 200, {}, b""
        if answer == "text":
            return 200, {"Content-Type": "text/plain"}, b"Login OK"
        return 200, {}, to_json({
            "username": at["name"], "uid": one["uid"], "gid": one["gid"], "first_name": one["first_name"],
            "last_name": one["last_name"], "email": one["email"], "groups": at["groups"], "facility": self.facility,
        })

    def hash(self):
        wanted = self.wanted("eaa_hash")
        if wanted is None:
            return self.error(400, "eaa_hash, please")
        for one in self.world.people.values():
            at = one["facilities"].get(self.facility)
            if at is not None and wanted[0] in one["hashes"] and not one["disabled"]:
                return self.hash_body(at["name"])
        return self.error(404, "nobody has this hash")

    def hash_body(self, name):
        answer = self.world.options["hash_answer"]
        if answer == "text":
            return 200, {"Content-Type": "text/plain; charset=utf-8"}, name.encode("utf-8", "surrogatepass")
        value = name if answer == "string" else {answer: name}
        try:
            return 200, {}, to_json(value)
        except UnicodeEncodeError:
            return 200, {}, json.dumps(value).encode()

    def authorization(self):
        wanted = self.wanted("login")
        if wanted is None:
            return self.error(400, "login, please")
        one, at = self.world.find(self.facility, wanted[0])
        if one is None:
            return self.error(404, "nobody has this name")
        return 200, {}, to_json({"result": at["authorized"] and not one["disabled"]})

    def experiments(self):
        if len(self.rest) != 1 or not self.rest[0]:
            return self.error(404, "experiments/NAME, please")
        name = urllib.parse.unquote(self.rest[0])
        one, _ = self.world.find(self.facility, name)
        if one is None:
            return self.error(404, "nobody has this name")
        return self.page(experiments(self.facility, name, one))

    def page(self, rows):
        options, query = self.world.options, {key: values[-1] for key, values in self.query.items()}
        try:
            number, size = int(query.get("page", 1)), int(query.get("page_size", options["page_size"]))
        except ValueError:
            return self.error(400, "page and page_size are numbers")
        size = min(size, options["max_page_size"])
        if number < 1 or size < 1:
            return self.error(400, "page and page_size begin with 1")
        ordering = query.get("ordering", "proposal_id")
        if ordering.removeprefix("-") not in ORDERINGS:
            return self.error(400, f"ordering is one of {', '.join(ORDERINGS)}")
        key = ordering.removeprefix("-")
        sought = query.get("search", "").casefold()
        rows = [row for row in rows if any(sought in str(row.get(column) or "").casefold() for column in ORDERINGS)]
        rows = sorted(rows, key=lambda row: str(row.get(key) or ""), reverse=ordering.startswith("-"))
        pages = max(1, math.ceil(len(rows) / size))
        if number > pages:
            return self.error(404, "no such page")

        def link(to):
            if not 1 <= to <= pages:
                return None
            rest = "&".join(f"{k}={urllib.parse.quote(v)}" for k, v in (query | {"page": str(to)}).items())
            return f"{self.base}/experiments/{self.rest[0]}?{rest}"

        return 200, {}, to_json({
            "count": len(rows), "next": link(number + 1), "previous": link(number - 1),
            "results": rows[(number - 1) * size : number * size],
        })

    # --- what is not true --------------------------------------------------------------------------

    def asked(self):
        """The local name that the request is about, known or not."""
        if self.service == "experiments":
            return urllib.parse.unquote(self.rest[0]) if self.rest else "nobody"
        asked = self.json if isinstance(self.json, dict) else {}
        if self.service == "hash":
            for one in self.world.people.values():
                if asked.get("eaa_hash") in one["hashes"] and self.facility in one["facilities"]:
                    return one["facilities"][self.facility]["name"]
            return "alice"
        name = asked.get("username" if self.service == "login" else "login")
        return name if isinstance(name, str) else "nobody"

    def positive(self):
        return self.about(self.asked())

    def about(self, name):
        """The body of a yes about this name, which need not exist."""
        one, at = self.world.find(self.facility, name)
        if one is None:
            one = {"uid": 6000, "gid": 6000, "first_name": "", "last_name": "", "email": "", "experiments": 2}
            at = {"name": name, "groups": []}
        if self.service == "login":
            return json.dumps({"username": at["name"], "uid": one["uid"], "gid": one["gid"], "groups": at["groups"],
                               "first_name": one["first_name"], "last_name": one["last_name"]}).encode()
        if self.service == "hash":
            return self.hash_body(at["name"])[2]
        if self.service == "authorization":
            return b'{"result": true}'
        rows = experiments(self.facility, name, one)
        return json.dumps({"count": len(rows), "next": None, "previous": None, "results": rows}).encode()

    def about_another(self, name):
        if self.service == "authorization":
            return json.dumps({"result": True, "login": name}).encode()
        return self.about(name)

    def with_member(self, member):
        """A yes with one more member; a name alone becomes an object first."""
        body = self.yes
        if not body.startswith(b"{"):
            body = to_json({"username": self.asked()})
        return body[:-1] + b"," + member + b"}"


# --- the control API -------------------------------------------------------------------------------

def set_fault(here, wish):
    path, name = wish.get("path", "*"), wish["fault"]
    if path not in (*SERVICES, "*"):
        raise ValueError(f"no service {path!r}")
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}")
    wish = dict(wish)
    if "seconds" in wish:
        wish["until"] = time.monotonic() + wish["seconds"]
    with here.lock:
        queue = here.faults.setdefault(path, [])
        if not wish.get("then"):
            queue.clear()
        queue.append(wish)
    return {"queued": len(queue)}


def handle(method, path, query, body):
    name = ""
    if path.startswith("w/"):
        _, name, *rest = path.split("/", 2)
        name, path = urllib.parse.unquote(name), rest[0] if rest else ""
    here = world(name)
    call, _, rest = path.partition("/")
    rest = [urllib.parse.unquote(part) for part in rest.split("/")] if rest else []
    what = (method, call, len(rest))
    with here.lock:
        if what == ("GET", "faults", 0):
            return {key: {k: v for k, v in one.items() if k != "do"} for key, one in FAULTS.items()}
        if what == ("GET", "fault", 0):
            return here.faults
        if what == ("POST", "fault", 0):
            wishes = body if isinstance(body, list) else [body]
            for number, wish in enumerate(wishes):
                set_fault(here, wish | {"then": True} if number else wish)
            return here.faults
        if what == ("DELETE", "fault", 0):
            here.reset(("faults",))
            return {}
        if what == ("GET", "counts", 0):
            return {"counts": here.counts, "most_at_once": here.most_at_once, "now": here.now}
        if what == ("GET", "requests", 0):
            return [note for note in here.requests if query.get("service") in (None, note["service"])]
        if what == ("GET", "seen", 0):
            return seen(here, query["text"])
        if what == ("GET", "people", 0):
            return here.people
        if what == ("GET", "people", 1):
            return here.people[rest[0]] if rest[0] in here.people else missing(rest[0])
        if what == ("POST", "people", 1):
            return change(here, rest[0], body)
        if what == ("DELETE", "people", 1):
            return here.people.pop(rest[0]) if rest[0] in here.people else missing(rest[0])
        if what == ("POST", "people", 3) and rest[1] == "facilities":
            return change_facility(here, rest[0], rest[2], body)
        if what == ("POST", "people", 4) and rest[1] == "facilities" and rest[3] == "groups":
            groups = change_facility(here, rest[0], rest[2], {})["groups"]
            groups[:] = [g for g in groups if g not in body.get("remove", [])]
            groups += [g for g in body.get("add", []) if g not in groups]
            return groups
        if what == ("GET", "options", 0):
            return here.options
        if what == ("POST", "options", 0):
            unknown = set(body) - set(OPTIONS)
            if unknown:
                raise ValueError(f"no option {', '.join(sorted(unknown))}")
            here.options |= body
            return here.options
        if what == ("POST", "reset", 0):
            here.reset(body.get("only", ("people", "options", "faults", "requests")))
            if not name and "only" not in body:
                for listener in listeners.values():
                    listener.reset()
            return {}
    if what == ("GET", "modes", 0):
        return MODES
    if what == ("GET", "listeners", 0):
        return {label: listener.show() for label, listener in listeners.items()}
    if what in (("POST", "listeners", 1), ("POST", "listeners", 2)):
        if rest[0] not in listeners:
            return missing(rest[0])
        listener = listeners[rest[0]]
        if len(rest) == 2 and rest[1] == "drop":
            return {"dropped": listener.drop(body.get("how", "close"))}
        listener.tell(body)
        return listener.show()
    return missing(path)


def missing(what):
    raise LookupError(f"no {what!r} here")


def change(here, name, wish):
    one = here.people.setdefault(name, {
        "password": f"{name}-pass-1", "uid": 9000 + len(here.people), "gid": 5000, "first_name": "", "last_name": "",
        "email": "", "hashes": [], "disabled": False, "experiments": 0,
        "facilities": {FACILITIES[0]: {"authorized": True, "groups": [], "name": name}},
    })
    unknown = set(wish) - set(one)
    if unknown:
        raise ValueError(f"no member {', '.join(sorted(unknown))}")
    one |= wish
    return one


def change_facility(here, name, facility, wish):
    """None in place of an object makes the person unknown there."""
    if name not in here.people or facility not in FACILITIES:
        return missing(f"{name} at {facility}")
    at = here.people[name]["facilities"]
    if wish is None:
        return at.pop(facility, {})
    here_at = at.setdefault(facility, {"authorized": True, "groups": [], "name": name})
    unknown = set(wish) - set(here_at)
    if unknown:
        raise ValueError(f"no member {', '.join(sorted(unknown))}")
    here_at |= wish
    return here_at


def seen(here, text):
    """Where a text, such as a password, came up in what was sent: also percent-encoded, or inside of Basic."""
    found = []
    for note in here.requests:
        places = {
            "target": [note["target"], urllib.parse.unquote_plus(note["target"])],
            "body": [note["body"] or "", json.dumps(note["json"], ensure_ascii=False)],
            "basic": [note["basic"] or ""],
            "headers": [value for _, value in note["headers"]],
        }
        for place, texts in places.items():
            if any(text in one for one in texts):
                found.append({"place": place, "listener": note["listener"], "service": note["service"], "target": note["target"]})
    return found


def main():
    directory = os.path.abspath(sys.argv[1])
    certificates = f"{directory}/tls"

    def serve(connection, listener):
        Handler(connection, listener)

    listeners["plain"] = Listener("plain", serve, certificates)
    listeners["bait"] = Listener("bait", serve, certificates)
    listeners["tls"] = Listener("tls", serve, certificates, "good")
    for certificate in CERTIFICATES[1:]:
        listeners[certificate] = Listener(certificate, serve, certificates, certificate)
    for listener in listeners.values():
        listener.start()
    closed = closed_port()
    host = "127.0.0.1"
    lines = {
        "VESTIBULE_TEST_USER_OFFICE": f"http://{host}:{listeners['plain'].port}",
        "VESTIBULE_TEST_USER_OFFICE_TLS": f"https://{host}:{listeners['tls'].port}",
        "VESTIBULE_TEST_USER_OFFICE_CONTROL": f"http://{host}:{control(handle)}/__control",
        "VESTIBULE_TEST_USER_OFFICE_CLOSED": f"http://{host}:{closed.getsockname()[1]}",
        "VESTIBULE_TEST_USER_OFFICE_BAIT": f"http://{host}:{listeners['bait'].port}",
        "VESTIBULE_TEST_USER_OFFICE_CA": f"{certificates}/ca.pem",
        "VESTIBULE_TEST_USER_OFFICE_FOREIGN_CA": f"{certificates}/foreign-ca.pem",
        "VESTIBULE_TEST_USER_OFFICE_USERNAME": USERNAME,
        "VESTIBULE_TEST_USER_OFFICE_PASSWORD": PASSWORD,
    }
    for certificate in CERTIFICATES[1:]:
        name = certificate.upper().replace("-", "_")
        lines[f"VESTIBULE_TEST_USER_OFFICE_TLS_{name}"] = f"https://{host}:{listeners[certificate].port}"
    with open(f"{directory}/user_office.env.new", "w", encoding="utf-8") as file:
        file.writelines(f"export {key}={value}\n" for key, value in lines.items())
    os.chmod(file.name, 0o600)
    os.rename(file.name, f"{directory}/user_office.env")
    threading.Event().wait()


if __name__ == "__main__":
    main()
