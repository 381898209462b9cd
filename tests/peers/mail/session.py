"""One SMTP session, and every place where it can go wrong."""

import asyncio
import base64
import binascii
import re

from wire import Gone

# The line with a dot alone, and what comes before it. The lax ones are of servers that take any line break.
END = re.compile(rb"(\A|\r\n)\.\r\n")
LAX_END = re.compile(rb"(\A|\r\n|\n|\r)\.(?:\r\n|\n|\r(?=[^\n]))")
DOT = re.compile(rb"(\A|\r\n)\.")
LAX_DOT = re.compile(rb"(\A|\r\n|\n|\r)\.")
NORMAL = {
    "mail": "250 2.1.0 ok", "rcpt": "250 2.1.5 ok", "data": "354 go ahead", "dot": "250 2.0.0 queued",
    "rset": "250 2.0.0 ok", "noop": "250 2.0.0 ok", "quit": "221 2.0.0 bye", "starttls": "220 2.0.0 ready",
}


def text_lines(lines):
    """Reply lines with the code of the first: `250-a`, `250 b`."""
    code = lines[0][:3]
    texts = [lines[0][4:], *lines[1:]]
    return b"".join(f"{code}{' ' if n == len(texts) - 1 else '-'}{text}\r\n".encode() for n, text in enumerate(texts))


def as_bytes(fault):
    """The reply of a fault: `text`, one string or a list, or `base64`, sent as it is."""
    if "base64" in fault:
        return base64.b64decode(fault["base64"])
    text = fault["text"]
    return text_lines(text) if isinstance(text, list) else text.encode() + b"\r\n"


class Session:
    def __init__(self, world, wire, implicit, number):
        self.world, self.wire, self.implicit = world, wire, implicit
        self.offers = world.offers
        self.tls = self.user = self.name = self.sender = None
        self.extended = False
        self.recipients, self.refused = [], []
        self.behind = b""  # what an `inject` adds to the reply that is sent next
        self.interval = 0  # between the bytes of the reply that is sent next
        self.about = {
            "number": number, "port": "smtps" if implicit else "smtp", "at": world.age(), "tls": None, "tls_failed": None,
            "commands": [], "auth": [], "early": "", "wrong": [], "open": True, "ended": None, "messages": 0,
        }

    # --- the way out

    async def send(self, data):
        data += self.behind
        self.behind = b""
        interval, self.interval = self.interval, 0
        if interval:
            for byte in data:
                await self.wire.write(bytes([byte]))
                await asyncio.sleep(interval)
        else:
            await self.wire.write(data)

    async def pick(self, stage, argument=""):
        """The fault that takes the place of the normal reply, after those that only change it."""
        index = -1
        while True:
            index, fault = self.world.next_fault(stage, argument, index + 1)
            if fault is None:
                return None
            if fault["do"] == "delay":
                await asyncio.sleep(fault.get("seconds", 1))
            elif fault["do"] == "drip":
                self.interval = fault.get("interval", 0.2)
            elif fault["do"] == "inject":
                self.behind = as_bytes(fault)
            else:
                return fault

    async def suffer(self, fault):
        do = fault["do"]
        if do == "reply":
            await self.send(as_bytes(fault))
        elif do == "hang":
            await self.wire.gone()
        elif do == "flood":
            code, size = fault.get("code", "250").encode(), fault.get("size", 1 << 30)
            if fault.get("one_line"):
                await self.wire.flood(code + b" ", b"x" * 65536, size)
                await self.wire.write(b"\r\n")
            else:
                await self.wire.flood(b"", (code + b"-" + b"x" * 500 + b"\r\n") * 128, size)
                await self.wire.write(code + b" end\r\n")
        if do in ("close", "reset") or fault.get("close"):
            self.about["ended"] = "server"
            self.wire.end(reset=do == "reset")
            raise Gone

    async def broken(self, stage, argument=""):
        fault = await self.pick(stage, argument)
        if fault is None:
            return False
        await self.suffer(fault)
        return True

    @staticmethod
    def says(fault, code):
        """Whether the client may read the fault as that code."""
        if fault["do"] == "flood":
            return fault.get("code", "250") == code
        return fault["do"] == "reply" and as_bytes(fault).startswith(code.encode())

    async def end_with(self, fault, normal):
        if fault is None:
            await self.send(normal if isinstance(normal, bytes) else normal.encode() + b"\r\n")
        else:
            await self.suffer(fault)

    # --- the way in

    async def line(self):
        while True:
            end = self.wire.buffer.find(b"\n")
            if end >= 0:
                line = self.wire.take(end + 1)
                if not line.endswith(b"\r\n"):
                    self.wrong("bare LF in a command")
                return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            if len(self.wire.buffer) > 1 << 16:
                self.wrong("endless command")
                raise Gone
            await self.wire.more()

    def wrong(self, text):
        if text not in self.about["wrong"]:
            self.about["wrong"].append(text)

    async def secure(self):
        if await self.broken("handshake"):
            raise Gone
        context = self.world.context()
        try:
            self.tls = await self.wire.secure(context) | {"implicit": self.implicit}
        except (OSError, EOFError) as error:
            self.about["tls_failed"] = str(error) or type(error).__name__
            self.world.count(tls_failed=1)
            raise Gone from None
        self.about["tls"] = self.tls
        self.world.count(tls_good=1)

    async def run(self):
        if await self.broken("connect"):
            raise Gone
        if self.implicit:
            await self.secure()
        if not await self.broken("banner"):
            await self.send(f"220 {self.offers['name']} ESMTP ready\r\n".encode())
        while True:
            line = await self.line()
            verb, _, argument = line.partition(" ")
            verb = verb.lower()
            self.about["commands"].append([self.world.age(), line.encode("utf-8", "replace").decode()[:2000]])
            self.world.count(commands=1)
            if self.wire.buffer and not (self.extended and self.offers["pipelining"]) and verb != "starttls":
                self.wrong(f"{verb.upper()} pipelined without being offered")
            handler = getattr(self, "do_" + verb, None) if verb.isalpha() else None
            if handler is None:
                await self.send(b"500 5.5.2 unknown command\r\n")
            else:
                await handler(argument)

    # --- the commands

    async def do_ehlo(self, argument):
        fault = await self.pick("ehlo", argument)
        if fault is None or self.says(fault, "250"):
            self.greet(argument, True)
        offers = self.offers
        lines = [f"250 {offers['name']}"]
        if offers["starttls"] and self.tls is None:
            lines.append("STARTTLS")
        if offers["auth"] and (self.tls or offers["auth_in_clear"]):
            lines.append("AUTH " + " ".join(offers["auth"]))
        if offers["size"]:
            lines.append(f"SIZE {offers['size']}")
        names = {"pipelining": "PIPELINING", "eightbitmime": "8BITMIME", "smtputf8": "SMTPUTF8", "enhanced": "ENHANCEDSTATUSCODES"}
        lines += [name for key, name in names.items() if offers[key]]
        await self.end_with(fault, text_lines(lines + offers["extra"]))

    async def do_helo(self, argument):
        fault = await self.pick("helo", argument)
        if fault is None or self.says(fault, "250"):
            self.greet(argument, False)
        await self.end_with(fault, f"250 {self.offers['name']}")

    def greet(self, argument, extended):
        self.name, self.extended = argument, extended
        self.forget()

    def forget(self):
        self.sender = None
        self.recipients, self.refused = [], []

    async def do_starttls(self, _):
        # Bytes that are here already came in the clear and must not count as said under TLS.
        if self.wire.buffer:
            self.about["early"] = base64.b64encode(self.wire.take(len(self.wire.buffer))).decode()
            self.wrong("bytes behind STARTTLS")
        if await self.broken("starttls"):
            return
        if not self.offers["starttls"] or self.tls:
            await self.send(b"502 5.5.1 not here\r\n")
            return
        self.wire.hold()
        await self.send(NORMAL["starttls"].encode() + b"\r\n")
        await self.secure()
        self.name, self.extended, self.user = None, False, None
        self.forget()

    async def do_auth(self, argument):
        mechanism, _, first = argument.partition(" ")
        mechanism = mechanism.upper()
        if self.tls is None and not self.offers["auth_in_clear"]:
            self.wrong("AUTH in the clear")
        if await self.broken("auth-command", argument):
            return
        if mechanism not in self.offers["auth"] or mechanism not in ("PLAIN", "LOGIN"):
            await self.send(b"504 5.5.4 no such mechanism\r\n")
            return
        try:
            if mechanism == "PLAIN":
                answer = first or await self.ask("")
                _, user, password = self.decoded(answer).split("\0")
            else:
                user = self.decoded(first or await self.ask("VXNlcm5hbWU6"))
                password = self.decoded(await self.ask("UGFzc3dvcmQ6"))
        except (ValueError, binascii.Error):
            await self.send(b"501 5.5.2 cannot decode that\r\n")
            return
        good = self.world.accounts.get(user) == password
        attempt = {"mechanism": mechanism, "user": user, "password": password, "good": False, "tls": self.tls is not None}
        self.about["auth"].append(attempt)
        fault = await self.pick("auth", user)
        good = attempt["good"] = good if fault is None else self.says(fault, "235")
        self.world.count(**{"auth_good" if good else "auth_failed": 1})
        self.user = user if good else None
        await self.end_with(fault, "235 2.7.0 welcome" if good else "535 5.7.8 authentication failed")

    async def ask(self, challenge):
        await self.send(f"334 {challenge}\r\n".encode())
        return await self.line()

    @staticmethod
    def decoded(answer):
        return base64.b64decode("" if answer == "=" else answer, validate=True).decode()

    async def do_mail(self, argument):
        address, options = self.path(argument, "FROM:")
        fault = await self.pick("mail", address or "")
        if fault and not self.says(fault, "250"):
            await self.suffer(fault)
            return
        refusal = self.not_yet() or self.bad_mail(address, options)
        if refusal:
            await self.send(refusal.encode() + b"\r\n")
            return
        self.forget()
        self.sender = {"address": address, "options": options}
        self.world.count(transactions=1)
        await self.end_with(fault, NORMAL["mail"])

    def not_yet(self):
        if self.name is None:
            return "503 5.5.1 say EHLO first"
        if self.offers["require_tls"] and self.tls is None:
            return "530 5.7.0 say STARTTLS first"
        if self.offers["require_auth"] and self.user is None:
            return "530 5.7.0 authenticate first"
        return None

    def bad_mail(self, address, options):
        if address is None:
            return "501 5.5.4 say MAIL FROM:<address>"
        known = {"SIZE": self.offers["size"], "BODY": self.offers["eightbitmime"], "SMTPUTF8": self.offers["smtputf8"]}
        for option in options:
            name, _, value = option.upper().partition("=")
            if not (self.extended and known.get(name)):
                self.wrong(f"{name} without being offered")
                return f"555 5.5.4 no {name} here"
            if name == "SIZE" and value.isdigit() and int(value) > self.offers["size"]:
                return "552 5.3.4 too big"
        if not address.isascii() and "SMTPUTF8" not in (option.upper() for option in options):
            self.wrong("letters outside of ASCII without SMTPUTF8")
            return "553 5.6.7 not without SMTPUTF8"
        return None

    def path(self, argument, start):
        found = re.fullmatch(re.escape(start) + r" ?<([^<>]*)>((?: \S+)*)", argument, re.IGNORECASE)
        return (found[1], found[2].split()) if found else (None, [])

    async def do_rcpt(self, argument):
        address, options = self.path(argument, "TO:")
        fault = await self.pick("rcpt", address or "")
        if fault and not self.says(fault, "25"):
            self.refused.append(address)
            await self.suffer(fault)
        elif self.sender is None:
            await self.send(b"503 5.5.1 say MAIL first\r\n")
        elif not address:
            await self.send(b"501 5.5.4 say RCPT TO:<address>\r\n")
        else:
            self.recipients.append({"address": address, "options": options})
            await self.end_with(fault, NORMAL["rcpt"])

    async def do_data(self, _):
        fault = await self.pick("data")
        if fault and not self.says(fault, "354"):
            await self.suffer(fault)
            return
        if not self.recipients:
            await self.send(b"503 5.5.1 no recipients\r\n")
            return
        await self.end_with(fault, NORMAL["data"])
        if await self.broken("body"):
            raise Gone
        raw = await self.body()
        limit = self.offers["size"]
        reply = NORMAL["dot"] if not limit or len(raw) <= limit else "552 5.3.4 too big"
        fault = await self.pick("dot")
        yes = self.says(fault, "250") if fault else reply.startswith("250")
        if fault.get("record", False) if fault else yes:
            self.record(raw, reply if fault is None else fault.get("text"))
        elif yes:
            self.world.count(lost=1)
        self.forget()
        await self.end_with(fault, reply)

    async def body(self):
        """The message without the dots that SMTP adds, up to the line with a dot alone."""
        end, dot = (LAX_END, LAX_DOT) if self.offers["lax_lines"] else (END, DOT)
        seen = 0
        while True:
            found = end.search(self.wire.buffer, seen)
            if found:
                before, whole = found.end(1), found.end()
                return dot.sub(rb"\1", self.wire.take(whole)[:before])
            seen = max(0, len(self.wire.buffer) - 4)
            await self.wire.more()

    def record(self, raw, reply):
        self.about["messages"] += 1
        if any(byte > 127 for byte in raw) and not any(option.upper().startswith("BODY=8BITMIME") for option in self.sender["options"]):
            self.wrong("8-bit content that was not announced")
        if max(map(len, raw.split(b"\r\n"))) > 998:
            self.wrong("a line of more than 998 bytes")
        self.world.record(raw, {
            "connection": self.about["number"], "port": self.about["port"], "ehlo": self.name, "reply": reply,
            "mail_from": self.sender["address"], "mail_options": self.sender["options"],
            "recipients": [one["address"] for one in self.recipients],
            "recipient_options": [one["options"] for one in self.recipients],
            "refused": self.refused, "tls": self.tls, "user": self.user,
        })

    async def do_rset(self, _):
        if not await self.broken("rset"):
            self.forget()
            await self.send(NORMAL["rset"].encode() + b"\r\n")

    async def do_noop(self, _):
        if not await self.broken("noop"):
            await self.send(NORMAL["noop"].encode() + b"\r\n")

    async def do_quit(self, _):
        if not await self.broken("quit"):
            await self.send(NORMAL["quit"].encode() + b"\r\n")
        self.about["ended"] = "quit"
        self.wire.end()
        raise Gone
