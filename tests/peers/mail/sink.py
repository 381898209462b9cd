"""Takes mail as fast as this can, keeps nothing but numbers and Message-IDs: for measurements."""

import asyncio
import collections
import re
import time

MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
OK = b"250 2.0.0 ok\r\n"
HELLO = b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN\r\n250 SIZE 100000000\r\n"


class Sink:
    def __init__(self):
        self.open = set()
        self.reset()

    def reset(self):
        self.connections = self.recipients = self.bytes = 0
        self.first = self.last = None
        self.ids = collections.Counter()
        self.messages = 0

    def connection(self):
        return Connection(self)

    def drop(self):
        for connection in list(self.open):
            connection.transport.abort()

    def took(self, raw):
        self.last = time.monotonic()
        if self.first is None:
            self.first = self.last
        self.messages += 1
        self.bytes += len(raw)
        found = MESSAGE_ID.search(raw)
        if found:
            self.ids[found[1].decode("ascii", "replace")] += 1

    def show(self):
        seconds = self.last - self.first if self.messages else 0
        return {
            "connections": self.connections, "open": len(self.open), "messages": self.messages,
            "recipients": self.recipients, "bytes": self.bytes, "seconds": round(seconds, 4),
            "per_second": round((self.messages - 1) / seconds, 1) if seconds else None,
            "ids": len(self.ids), "doubled": [name for name, times in self.ids.items() if times > 1][:100],
        }


class Connection(asyncio.Protocol):
    def __init__(self, sink):
        self.sink = sink
        self.buffer = b""
        self.in_data = False
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        self.sink.open.add(self)
        self.sink.connections += 1
        transport.write(b"220 sink.test ESMTP\r\n")

    def connection_lost(self, error):
        self.sink.open.discard(self)

    def data_received(self, data):
        self.buffer += data
        replies = []
        while True:
            if self.in_data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                self.sink.took(self.buffer[:end + 2])
                self.buffer = self.buffer[end + 5:]
                self.in_data = False
                replies.append(OK)
                continue
            end = self.buffer.find(b"\n")
            if end < 0:
                break
            verb = self.buffer[:4].upper()
            self.buffer = self.buffer[end + 1:]
            if verb == b"DATA":
                self.in_data = True
                replies.append(b"354 go ahead\r\n")
            elif verb == b"QUIT":
                replies.append(b"221 2.0.0 bye\r\n")
                self.transport.write(b"".join(replies))
                self.transport.close()
                return
            elif verb == b"AUTH":
                replies.append(b"235 2.7.0 whoever you are\r\n")
            elif verb in (b"EHLO", b"HELO"):
                replies.append(HELLO)
            else:
                if verb == b"RCPT":
                    self.sink.recipients += 1
                replies.append(OK)
        if replies:
            self.transport.write(b"".join(replies))
