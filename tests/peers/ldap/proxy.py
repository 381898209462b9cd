"""A TCP proxy in front of the LDAP server that fails on demand, and a bait that says yes to everything.

    proxy.py DIR PLAIN TLS    forwards to the ports PLAIN and TLS; serves on free ports of 127.0.0.1
                              and writes DIR/ldap-proxy.env when it listens

README.md has the modes and the control API.
"""

import os
import select
import socket
import ssl
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "user_office"))
from listener import CERTIFICATES, MODES, Listener, closed_port, control, reset_on_close

START_TLS = b"1.3.6.1.4.1.1466.20037"
LOG_LIMIT = 300

# What happens to the answers; in brackets what a request can add to it.
WAYS = {
    "pass": "nothing is wrong",
    "delay": "every answer is late [seconds_late, 6]",
    "hang": "requests go through, answers do not",
    "hang-middle": "the answer stops after some bytes [after, 5]",
    "cut": "the connection is closed after some bytes of the answers [after, 5]",
    "reset": "the connection is reset after some bytes of the answers [after, 0]",
    "drip": "one byte of the answers at a time [interval, 1 second]",
    "idle": "connections on which nothing happens are closed [idle_seconds, 1; how, close or reset]",
    "black-hole": "nothing goes through any more, in neither direction, and nobody is told",
    "garbage": "the answer is a line of text",
    "http": "the answer is a web page",
    "huge-length": "the answer announces an LDAP message of 2 GB and goes on sending it",
    "deep": "the answer is nested 100,000 levels deep",
    "wrong-id": "the answer has the number of a message that nobody sent",
    "disconnect": "notice of disconnection in place of the answer, then the end",
    "result": "every request is answered with this result [code, 52: unavailable; text]",
    "flood": "a search is answered with one entry after the other, without an end",
    "bind-yes": "every bind is answered with success, everything else is forwarded",
    "other-entry": "a search is answered with one entry [dn, uid=mallory,ou=people,dc=facility,dc=org], whatever was sought",
    "starttls-refused": "StartTLS is answered with result 52 [code]; what follows goes on in the clear",
    "starttls-silent": "StartTLS is never answered",
    "starttls-inject": "StartTLS is answered with success and, still in the clear, a forged success of a bind [id, 2]; then TLS",
    "starttls-certificate": "StartTLS is answered, with a certificate of choice [certificate, foreign]",
}
# These look into what is asked, so they are only for connections in the clear.
LOOKING = ("wrong-id", "result", "flood", "bind-yes", "other-entry", "disconnect",
           "starttls-refused", "starttls-silent", "starttls-inject", "starttls-certificate")


# --- as much BER as is needed ------------------------------------------------------------------------

def ber(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def parse(data, at=0):
    """(tag, start of the content, end), or None when there is not all of it."""
    if len(data) < at + 2:
        return None
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        width = size & 0x7F
        if width > 4 or len(data) < start + width:
            return None
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    return (tag, start, start + size) if len(data) >= start + size else None


def message(number, operation):
    return ber(0x30, ber(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) + operation)


def result(tag, code=0, text="", more=b""):
    return ber(tag, ber(0x0A, bytes([code])) + ber(0x04, b"") + ber(0x04, text.encode()) + more)


def entry(dn):
    uid = dn.split(",")[0].partition("=")[2]
    attributes = [("uid", uid), ("cn", uid), ("sn", uid), ("mail", f"{uid}@facility.org"), ("objectClass", "inetOrgPerson"),
                  ("entryUUID", "00000000-0000-4000-8000-000000000007")]
    listed = b"".join(ber(0x30, ber(0x04, k.encode()) + ber(0x31, ber(0x04, v.encode()))) for k, v in attributes)
    return ber(0x64, ber(0x04, dn.encode()) + ber(0x30, listed))


# The tag of the answer to each request.
ANSWERS = {0x60: 0x61, 0x63: 0x65, 0x66: 0x67, 0x68: 0x69, 0x4A: 0x6B, 0x6C: 0x6D, 0x6E: 0x6F, 0x77: 0x78}
NAMES = {0x60: "bind", 0x42: "unbind", 0x63: "search", 0x66: "modify", 0x68: "add", 0x4A: "delete", 0x6C: "rename",
         0x6E: "compare", 0x50: "abandon", 0x77: "extended"}


def requests(buffer):
    """Takes the complete messages out of a bytearray: (number, tag, content, all bytes)."""
    found = []
    while (whole := parse(buffer)) is not None:
        _, start, end = whole
        data = bytes(buffer[:end])
        del buffer[:end]
        number = parse(data, start)
        operation = parse(data, number[2]) if number else None
        if operation is None:
            break
        found.append((int.from_bytes(data[number[1] : number[2]], "big"), operation[0], data[operation[1] : operation[2]], data))
    return found


# --- what went by ------------------------------------------------------------------------------------

class Book:
    """The last messages in the clear, so that a test can see what was asked and whether a password was in it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        with self.lock:
            self.notes = []

    def write(self, listener, tag, content, data):
        note = {"at": time.time(), "listener": listener, "operation": NAMES.get(tag, hex(tag)), "hex": data[:4096].hex()}
        try:
            if tag == 0x60:
                _, _, end = parse(content)
                _, start, end = parse(content, end)
                note["dn"] = content[start:end].decode("utf-8", "backslashreplace")
                kind, start, end = parse(content, end)
                note["password"] = content[start:end].decode("utf-8", "backslashreplace") if kind == 0x80 else None
            elif tag == 0x63:
                _, start, end = parse(content)
                note["base"] = content[start:end].decode("utf-8", "backslashreplace")
            elif tag == 0x77:
                _, start, end = parse(content)
                note["name"] = content[start:end].decode("ascii", "backslashreplace")
        except TypeError:
            pass
        with self.lock:
            self.notes.append(note)
            del self.notes[:-LOG_LIMIT]


book = Book()


# --- ways to fail ------------------------------------------------------------------------------------

class Ways:
    """What a listener does with the answers; looked at again for every piece, so that open connections feel a change."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        with self.lock:
            self.wish, self.left, self.until = {"way": "pass"}, None, None

    def tell(self, wish):
        if wish.get("way", "pass") not in WAYS:
            raise ValueError(f"no way {wish['way']!r}")
        with self.lock:
            self.wish = {"way": "pass"} | wish
            self.left = wish.get("connections")
            self.until = time.monotonic() + wish["seconds"] if "seconds" in wish else None

    def _now(self):
        if self.until is not None and time.monotonic() >= self.until:
            self.wish, self.left, self.until = {"way": "pass"}, None, None
        return self.wish

    def for_new(self):
        """The wish that this connection keeps, or None: it follows what is told later."""
        with self.lock:
            wish = self._now()
            if self.left is None:
                return None
            self.left -= 1
            if self.left <= 0:
                self.wish, self.left = {"way": "pass"}, None
            return wish

    def now(self):
        with self.lock:
            # Wishes for a number of new connections do not touch the others.
            return {"way": "pass"} if self.left is not None else self._now()


ways = {}


class Link:
    """One connection of a client and the one to the server behind it."""

    def __init__(self, client, listener, target):
        self.client, self.listener = client, listener
        self.fixed = ways[listener.label].for_new()
        self.server = socket.create_connection(("127.0.0.1", target), 10)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.settimeout(None)
        self.client.settimeout(None)
        self.in_clear = listener.label in ("plain", *CERTIFICATES)
        self.moved = time.monotonic()
        self.answered = 0
        self.ended = threading.Event()
        # An SSL object takes one call at a time; and upgrading waits until no answer is on its way.
        self.lock = threading.RLock()

    def wish(self):
        return self.fixed or ways[self.listener.label].now()

    def end(self, how="close"):
        if self.ended.is_set():
            return
        self.ended.set()
        if how == "reset":
            reset_on_close(self.client)
            # The thread that reads wakes up and closes; that sends the RST.
            ends = ((self.client, socket.SHUT_RD), (self.server, socket.SHUT_RDWR))
        else:
            ends = ((self.client, socket.SHUT_RDWR), (self.server, socket.SHUT_RDWR))
        for sock, side in ends:
            try:
                socket.socket.shutdown(sock, side)
            except OSError:
                pass

    def run(self):
        threading.Thread(target=self.answers, daemon=True).start()
        threading.Thread(target=self.watch, daemon=True).start()
        try:
            self.asks()
        except OSError:
            pass
        finally:
            # Closing alone, so that a reset that was asked for is one.
            self.ended.set()
            try:
                self.server.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.server.close()
            self.client.close()

    def watch(self):
        while not self.ended.wait(0.1):
            wish = self.wish()
            if wish["way"] == "idle" and time.monotonic() - self.moved > wish.get("idle_seconds", 1):
                self.end(wish.get("how", "close"))

    # From the client.

    def read(self):
        if not isinstance(self.client, ssl.SSLSocket):
            return self.client.recv(65536)
        while not self.ended.is_set():
            if not self.client.pending() and not select.select([self.client], [], [], 0.1)[0]:
                continue
            with self.lock:
                self.client.settimeout(0)
                try:
                    return self.client.recv(65536)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.client.settimeout(None)
        return b""

    def put(self, data):
        with self.lock:
            self.client.sendall(data)

    def asks(self):
        buffer = bytearray()
        secured = False
        while data := self.read():
            self.moved = time.monotonic()
            while self.wish()["way"] == "black-hole":
                if self.ended.wait(0.05):
                    return
            if not self.in_clear or secured:
                self.server.sendall(data)
                continue
            buffer += data
            for number, tag, content, whole in requests(buffer):
                book.write(self.listener.label, tag, content, whole)
                if tag == 0x77 and START_TLS in content:
                    did = self.start_tls(number)
                    if did == "through":
                        # From here on there is nothing to read in it.
                        secured = True
                        self.server.sendall(whole)
                    elif did == "gone":
                        return
                    continue
                if not self.answer_ourselves(number, tag):
                    self.server.sendall(whole)

    def start_tls(self, number):
        """through, done, or gone: what to do with a request for StartTLS."""
        wish = self.wish()
        way = wish["way"]
        certificate = wish.get("certificate", "foreign")
        if way == "starttls-refused":
            self.put(message(number, result(0x78, wish.get("code", 52), "no TLS today")))
            return "done"
        if way == "starttls-silent":
            return "done"
        if way not in ("starttls-inject", "starttls-certificate"):
            return "through"
        yes = message(number, result(0x78, 0, "", ber(0x8A, START_TLS)))
        with self.lock:
            if way == "starttls-inject":
                certificate = wish.get("certificate", "good")
                yes += message(wish.get("id", number + 1), result(0x61))
            self.put(yes)
            secured = self.listener.secure(self.client, certificate)
            if secured is None:
                self.end()
                return "gone"
            secured.settimeout(None)
            self.client = secured
        return "done"

    def answer_ourselves(self, number, tag):
        wish = self.wish()
        way = wish["way"]
        answer = ANSWERS.get(tag)
        if way not in LOOKING or answer is None:
            return False
        if way == "bind-yes" and tag == 0x60:
            self.put(message(number, result(0x61)))
        elif way == "result":
            self.put(message(number, result(answer, wish.get("code", 52), wish.get("text", ""))))
        elif way == "wrong-id":
            self.put(message(number + 1000, result(answer)))
        elif way == "disconnect":
            gone = result(0x78, 52, "going down", ber(0x8A, b"1.3.6.1.4.1.1466.20036"))
            self.put(message(0, gone))
            self.end()
        elif way == "other-entry" and tag == 0x63:
            dn = wish.get("dn", "uid=mallory,ou=people,dc=facility,dc=org")
            self.put(message(number, entry(dn)) + message(number, result(answer)))
        elif way == "flood" and tag == 0x63:
            count = 0
            while not self.ended.is_set():
                self.put(b"".join(
                    message(number, entry(f"uid=flood{count + n},ou=people,dc=facility,dc=org")) for n in range(200)))
                count += 200
        else:
            return False
        return True

    # From the server.

    def answers(self):
        try:
            while data := self.server.recv(65536):
                self.moved = time.monotonic()
                self.pass_on(data)
        except OSError:
            pass
        # The server's end is the client's, unless the way is one of silence.
        while self.wish()["way"] in ("hang", "hang-middle", "black-hole") and not self.ended.wait(0.05):
            pass
        self.end()

    def pass_on(self, data):
        wish = self.wish()
        way = wish["way"]
        if way == "delay":
            self.ended.wait(wish.get("seconds_late", 6))
        elif way == "drip":
            for at in range(len(data)):
                # Goes fast again when the way has been taken back.
                if self.wish()["way"] != "drip":
                    data = data[at:]
                    break
                self.send(data[at : at + 1])
                if self.ended.wait(wish.get("interval", 1)):
                    return
            else:
                return
        elif way in ("hang", "black-hole"):
            while self.wish()["way"] in ("hang", "black-hole"):
                if self.ended.wait(0.05):
                    return
        elif way in ("hang-middle", "cut", "reset"):
            left = max(0, wish.get("after", 0 if way == "reset" else 5) - self.answered)
            self.send(data[:left])
            if len(data) < left:
                return
            if way != "hang-middle":
                self.end("reset" if way == "reset" else "close")
                return
            data = data[left:]
            while self.wish()["way"] == "hang-middle":
                if self.ended.wait(0.05):
                    return
        elif way == "garbage":
            data = b"220 mail.facility.org ESMTP\r\n"
        elif way == "http":
            data = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html><body>No</body></html>"
        elif way == "huge-length":
            self.send(b"\x30\x84\x7f\xff\xff\xff")
            while self.send(b"\x04" * 65536):
                pass
            return
        elif way == "deep":
            data = b"".join(b"\x30\x84" + (6 * left).to_bytes(4, "big") for left in range(99_999, -1, -1))
        self.send(data)

    def send(self, data):
        try:
            self.put(data)
        except OSError:
            self.end()
            return False
        self.answered += len(data)
        return not self.ended.is_set()


def bait(client, listener):
    """Says yes to every bind and finds nothing; the book has what came."""
    buffer = bytearray()
    while data := client.recv(65536):
        buffer += data
        for number, tag, content, whole in requests(buffer):
            book.write(listener.label, tag, content, whole)
            if tag in ANSWERS:
                client.sendall(message(number, result(ANSWERS[tag])))


listeners = {}


def handle(method, path, query, body):
    call, _, rest = path.partition("/")
    rest = [urllib.parse.unquote(part) for part in rest.split("/")] if rest else []
    what = (method, call, len(rest))
    if what == ("GET", "ways", 0):
        return WAYS
    if what == ("GET", "modes", 0):
        return MODES
    if what == ("GET", "listeners", 0):
        return {label: listener.show() | ({"way": ways[label].wish} if label in ways else {}) for label, listener in listeners.items()}
    if method == "POST" and call == "listeners" and rest and rest[0] in listeners:
        listener = listeners[rest[0]]
        if len(rest) == 1:
            listener.tell(body)
            return listener.show()
        if rest[1:] == ["drop"]:
            return {"dropped": listener.drop(body.get("how", "close"))}
        if rest[1:] == ["way"] and rest[0] in ways:
            if body.get("way") in LOOKING and rest[0] == "tls":
                raise ValueError("cannot look into what is encrypted end to end")
            ways[rest[0]].tell(body)
            return ways[rest[0]].wish
    if what == ("GET", "requests", 0):
        with book.lock:
            return [note for note in book.notes if query.get("listener") in (None, note["listener"])]
    if what == ("GET", "seen", 0):
        text = query["text"].encode().hex()
        with book.lock:
            return [note for note in book.notes if text in note["hex"]]
    if what == ("POST", "reset", 0):
        book.clear()
        for way in ways.values():
            way.reset()
        for listener in listeners.values():
            listener.reset()
        return {}
    raise LookupError(f"no {path!r} here")


def main():
    directory, plain, tls = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    certificates = f"{directory}/tls"

    def forward(client, listener):
        try:
            link = Link(client, listener, tls if listener.label == "tls" else plain)
        except OSError:
            return  # the server is not there: the client sees the connection end
        link.run()

    for label in ("plain", "tls", *CERTIFICATES):
        ways[label] = Ways()
        # The port called tls passes on what the server itself encrypts; the others end TLS here.
        listeners[label] = Listener(label, forward, certificates, label if label in CERTIFICATES else None)
    listeners["bait"] = Listener("bait", bait, certificates)
    for listener in listeners.values():
        listener.start()
    closed = closed_port()
    host = "127.0.0.1"
    lines = {
        "VESTIBULE_TEST_LDAP_PROXY": f"ldap://{host}:{listeners['plain'].port}",
        "VESTIBULE_TEST_LDAPS_PROXY": f"ldaps://{host}:{listeners['tls'].port}",
        "VESTIBULE_TEST_LDAP_CONTROL": f"http://{host}:{control(handle)}/__control",
        "VESTIBULE_TEST_LDAP_BAIT": f"ldap://{host}:{listeners['bait'].port}",
        "VESTIBULE_TEST_LDAP_CLOSED": f"ldap://{host}:{closed.getsockname()[1]}",
    }
    for certificate in CERTIFICATES:
        name = certificate.upper().replace("-", "_")
        lines[f"VESTIBULE_TEST_LDAPS_PROXY_{name}"] = f"ldaps://{host}:{listeners[certificate].port}"
    with open(f"{directory}/ldap-proxy.env.new", "w", encoding="utf-8") as file:
        file.writelines(f"export {key}={value}\n" for key, value in lines.items())
    os.chmod(file.name, 0o600)
    os.rename(file.name, f"{directory}/ldap-proxy.env")
    threading.Event().wait()


if __name__ == "__main__":
    main()
