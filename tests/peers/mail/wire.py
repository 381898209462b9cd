"""One connection: bytes in and out, TLS put on it in the middle, and ways to end it."""

import asyncio
import socket
import ssl
import struct
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1 are what some tests are about
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3,
}
ENOUGH = 1 << 20


class Gone(Exception):
    """The connection is over."""


class Contexts:
    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def get(self, certificate, lowest, highest):
        key = certificate, lowest, highest
        if key not in self.made:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{self.folder}/{certificate}.pem", f"{self.folder}/{certificate}.key")
            if highest in ("1.0", "1.1"):
                context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = VERSIONS[lowest], VERSIONS[highest]
            context.sni_callback = remember_name
            self.made[key] = context
        return self.made[key]


def remember_name(connection, name, _):
    connection.asked_for = name


class Wire(asyncio.Protocol):
    def __init__(self, held=False):
        self.held = held  # nothing is read before `secure`: what comes is for TLS
        self.buffer = bytearray()
        self.over = False
        self.transport = None
        self.arrived = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.paused = False

    def connection_made(self, transport):
        self.transport = transport
        if self.held:
            transport.pause_reading()

    def hold(self):
        """What comes from now on is for TLS."""
        self.held = True
        self.transport.pause_reading()

    def data_received(self, data):
        self.buffer += data
        self.arrived.set()
        if len(self.buffer) > ENOUGH and not self.paused:
            self.paused = True
            self.transport.pause_reading()

    def eof_received(self):
        self.over = True
        self.arrived.set()

    def connection_lost(self, error):
        self.over = True
        self.arrived.set()
        self.writable.set()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    async def more(self):
        """Waits until there are more bytes than now."""
        if self.over:
            raise Gone
        self.arrived.clear()
        if self.paused:
            self.paused = False
            self.transport.resume_reading()
        await self.arrived.wait()
        if self.over and not self.buffer:
            raise Gone

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def write(self, data):
        if self.over and self.transport.is_closing():
            raise Gone
        self.transport.write(data)
        await self.writable.wait()

    async def flood(self, first, block, size):
        await self.write(first)
        while size > 0:
            await self.write(block)
            size -= len(block)
            await asyncio.sleep(0)  # the others want to live as well
            if self.over:
                raise Gone

    async def gone(self):
        """Sits still, reading nothing, until the other side is gone."""
        if not self.over:
            self.transport.resume_reading()
        self.paused = True
        while not self.over:
            self.arrived.clear()
            await self.arrived.wait()
            self.buffer.clear()
        raise Gone

    async def secure(self, context):
        """TLS from here on; the facts about it. Raises OSError if the client would not have it."""
        if self.over:
            raise Gone
        self.transport = await asyncio.get_running_loop().start_tls(
            self.transport, self, context, server_side=True, ssl_handshake_timeout=30)
        session = self.transport.get_extra_info("ssl_object")
        return {"version": session.version(), "cipher": session.cipher()[0],
                "server_name": getattr(session, "asked_for", None)}

    def end(self, reset=False):
        """Closes; what was written before still goes out, except with a reset."""
        if self.transport is None:
            return
        if reset:
            sock = self.transport.get_extra_info("socket")
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            self.transport.abort()
        else:
            self.transport.close()
