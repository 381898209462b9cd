"""A backend that answers every request with what it received, as JSON.

    python3 echo.py PORT

Header names and values are told as they came over the wire (bytes read as Latin-1), in
their order, with duplicates: no library folds, joins or drops anything on the way.
"""

import json
import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self):
        request = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
        headers = []
        while True:
            line = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
            if not line:
                break
            name, _, value = line.partition(":")
            headers.append([name, value.strip(" \t")])
        length = next((int(v) for n, v in headers if n.lower() == "content-length" and v.isdigit()), 0)
        body = self.rfile.read(min(length, 1 << 20)).decode("latin-1")
        method, _, rest = request.partition(" ")
        answer = json.dumps(
            {
                "method": method,
                "path": rest.rpartition(" ")[0],
                "peer": self.client_address[0],
                "headers": headers,
                "body": body,
            }
        ).encode()
        head = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(answer)
        )
        try:
            self.wfile.write(head if method == "HEAD" else head + answer)
        except ConnectionError:
            pass  # whoever asked has gone


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
        server.serve_forever()
