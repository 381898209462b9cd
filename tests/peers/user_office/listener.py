"""Listening sockets that can be told to misbehave, and the control API of a test server.

Used by the user office and by the proxy in front of the LDAP server.
"""

import http.server
import json
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

CERTIFICATES = ("good", "expired", "future", "other-host", "ca-leaf", "self-signed", "foreign")
# What a listener does with a new connection, before anything is read.
MODES = {
    "good": "serves it",
    "refuse": "does not listen: connection refused",
    "unanswered": "neither refuses nor accepts: the client's connect hangs",
    "hang": "accepts and is silent, also towards a TLS handshake",
    "close": "accepts and closes",
    "reset": "accepts and resets",
    "plain": "speaks in the clear where TLS belongs, or expects TLS where none belongs",
}


def reset_on_close(connection):
    """From now on closing sends RST in place of FIN."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass


def wait_gone(connection, seconds):
    """Sits still until the other side has closed, or for so many seconds."""
    poll = select.poll()
    try:
        poll.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        poll.poll(int(seconds * 1000))
    except (OSError, ValueError):
        pass


class Listener(threading.Thread):
    """One port of 127.0.0.1. `serve(connection, listener)` gets each connection in a thread of its own."""

    def __init__(self, name, serve, certificates=None, certificate=None):
        super().__init__(daemon=True, name=name)
        self.label = name
        self.serve = serve
        self.certificates = certificates
        self.first_certificate = self.certificate = certificate
        self.lock = threading.Lock()
        self.contexts = {}
        self.alive = {}
        self.fillers = []
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.sock.listen(512)
        self.state = "listening"
        self.reset()

    def reset(self):
        with self.lock:
            self.mode, self.times, self.until = "good", None, None
            self.certificate = self.first_certificate
            self.accepted = self.tls_good = 0
            self.tls_failed = []

    def show(self):
        with self.lock:
            self._expire()
            return {
                "port": self.port, "mode": self.mode, "times": self.times, "certificate": self.certificate,
                "accepted": self.accepted, "open": len(self.alive),
                "tls_good": self.tls_good, "tls_failed": list(self.tls_failed),
            }

    def tell(self, wish):
        """{"mode", "certificate", "times", "seconds"}; returns once the port is in that state."""
        mode = wish.get("mode", "good")
        certificate = wish.get("certificate", self.certificate)
        if mode not in MODES:
            raise ValueError(f"no mode {mode!r}")
        if self.first_certificate is not None and certificate not in CERTIFICATES:
            raise ValueError(f"no certificate {certificate!r}")
        with self.lock:
            self.mode, self.certificate = mode, certificate
            self.times = wish.get("times")
            self.until = time.monotonic() + wish["seconds"] if "seconds" in wish else None
        wanted = self._wanted()
        deadline = time.monotonic() + 5
        while self.state != wanted and self._wanted() == wanted and time.monotonic() < deadline:
            time.sleep(0.01)

    def drop(self, how="close"):
        """Ends the connections that are open now; returns how many there were."""
        with self.lock:
            connections = list(self.alive.values())
        for connection in connections:
            try:
                if how == "reset":
                    reset_on_close(connection)
                    # Wakes the thread that reads, which then closes; nothing is sent before that.
                    socket.socket.shutdown(connection, socket.SHUT_RD)
                else:
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                pass
        return len(connections)

    def _expire(self):
        if self.until is not None and time.monotonic() >= self.until:
            self.mode, self.times, self.until = "good", None, None

    def _wanted(self):
        with self.lock:
            self._expire()
            return self.mode if self.mode in ("refuse", "unanswered") else "listening"

    def _become(self, wanted):
        for filler in self.fillers:
            filler.close()
        self.fillers = []
        # Bound and not listening, the port refuses for sure, and nobody else gets it; and what stood
        # in the full queue is not accepted, and counted, later.
        if wanted == "refuse" or self.state == "unanswered":
            self.sock.close()
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(("127.0.0.1", self.port))
        if wanted == "unanswered":
            # With the queue full the kernel drops what wants to connect.
            self.sock.listen(0)
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", self.port))
                self.fillers.append(filler)
            time.sleep(0.05)
        elif wanted == "listening":
            self.sock.listen(512)
        self.state = wanted

    def run(self):
        while True:
            wanted = self._wanted()
            if wanted != self.state:
                self._become(wanted)
            if self.state != "listening":
                time.sleep(0.02)
                continue
            try:
                ready, _, _ = select.select([self.sock], [], [], 0.05)
                if not ready:
                    continue
                connection, _ = self.sock.accept()
            except OSError:
                continue
            with self.lock:
                self._expire()
                mode, certificate = self.mode, self.certificate
                self.accepted += 1
                if self.times is not None and mode != "good":
                    self.times -= 1
                    if self.times <= 0:
                        self.mode, self.times, self.until = "good", None, None
            threading.Thread(target=self._one, args=(connection, mode, certificate), daemon=True).start()

    def context(self, certificate):
        if certificate not in self.contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            base = f"{self.certificates}/{certificate}"
            context.load_cert_chain(base + ".pem", base + ".key")
            self.contexts[certificate] = context
        return self.contexts[certificate]

    def secure(self, connection, certificate):
        """The connection with TLS on it, or None when the client would not have it."""
        connection.settimeout(30)
        try:
            secured = self.context(certificate).wrap_socket(connection, server_side=True)
        except (OSError, ValueError) as error:
            with self.lock:
                self.tls_failed.append(str(error))
                del self.tls_failed[:-100]
            return None
        with self.lock:
            self.tls_good += 1
        return secured

    def _one(self, connection, mode, certificate):
        key = id(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if mode == "hang":
                wait_gone(connection, 300)
                return
            if mode in ("close", "reset", "refuse", "unanswered"):
                if mode == "reset":
                    reset_on_close(connection)
                return
            tls = certificate if mode == "good" else None if certificate else "good"
            if tls:
                raw, connection = connection, self.secure(connection, tls)
                if connection is None:
                    raw.close()
                    return
            connection.settimeout(300)
            with self.lock:
                self.alive[key] = connection
            self.serve(connection, self)
        except OSError:
            pass
        finally:
            with self.lock:
                self.alive.pop(key, None)
            if connection is not None:
                connection.close()


def closed_port():
    """A port on which every connection is refused for as long as the socket is kept."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def control(handle):
    """Serves `handle(method, path, query, body) -> object` as JSON over HTTP; returns its port.

    ValueError and KeyError are answered with 400, LookupError with 404.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            split = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
            try:
                if not split.path.startswith("/__control"):
                    raise LookupError("everything is below /__control")
                path = split.path.removeprefix("/__control").strip("/")
                status, answer = 200, handle(self.command, path, query, json.loads(body) if body else {})
            except (ValueError, KeyError, TypeError) as error:
                status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
            except LookupError as error:
                status, answer = 404, {"error": str(error)}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server.server_address[1]
