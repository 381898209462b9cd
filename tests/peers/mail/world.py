"""A world: two ports of its own, what they offer, what goes wrong there, and what came in."""

import asyncio
import base64
import re
import socket
import time

from modes import MODES, STAGES
from parsed import facts
from session import Session
from sink import Sink
from wire import VERSIONS, Gone, Wire

CERTIFICATES = ("good", "expired", "future", "other-host", "ca-leaf", "self-signed", "foreign")
STATES = ("good", "refuse", "unanswered")
ACTIONS = ("reply", "delay", "drip", "inject", "hang", "close", "reset", "flood")
OFFERS = {
    "name": "mx.test", "starttls": True, "auth": ["PLAIN", "LOGIN"], "auth_in_clear": False,
    "require_tls": False, "require_auth": False, "size": 10_000_000, "pipelining": True, "eightbitmime": True,
    "smtputf8": True, "enhanced": True, "extra": [], "certificate": "good", "tls_min": "1.2", "tls_max": "1.3",
    "lax_lines": False,
}
COUNTERS = ("connections", "closed", "tls_good", "tls_failed", "auth_good", "auth_failed", "commands",
            "transactions", "messages", "lost", "faults")


class Port:
    """A port that listens, refuses or does not answer, and keeps its number through all of it."""

    def __init__(self, welcome):
        self.welcome = welcome
        self.fillers = []
        self.task = None
        self.state = None
        self.number = 0
        self.sock = None

    def become(self, state):
        if state == self.state:
            return
        if self.task:
            self.task.cancel()
            self.task = None
        for filler in self.fillers:
            filler.close()
        self.fillers = []
        if self.sock is not None:
            self.sock.close()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setblocking(False)
        # Bound also when it does not listen: refused for sure, and nobody else gets the port.
        self.sock.bind(("127.0.0.1", self.number))
        self.number = self.sock.getsockname()[1]
        if state == "unanswered":
            # With the queue full the kernel drops what wants to connect.
            self.sock.listen(0)
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", self.number))
                self.fillers.append(filler)
        elif state == "good":
            self.sock.listen(1024)
            self.task = asyncio.get_running_loop().create_task(self.accept(self.sock))
        self.state = state

    async def accept(self, sock):
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(sock)
            await self.welcome(connection)

    def close(self):
        self.become("refuse")
        self.sock.close()


class World:
    def __init__(self, name, contexts, wish):
        self.name, self.contexts = name, contexts
        self.sessions = {}
        self.tasks = set()
        self.later = None
        self.pulse = asyncio.Event()
        self.sink = Sink()
        self.ports = {
            "smtp": Port(lambda connection: self.welcome(connection, False)),
            "smtps": Port(lambda connection: self.welcome(connection, True)),
            "sink": Port(lambda connection: self.swallow(connection, False)),
            "sinks": Port(lambda connection: self.swallow(connection, True)),
        }
        self.reset()
        try:
            self.change(wish)
        except Exception:
            self.close()
            raise

    # --- what is told from outside

    def reset(self):
        self.began = time.monotonic()
        self.offers = dict(OFFERS)
        self.accounts = {"vestibule": "mail-pass-1"}
        self.faults = []
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.messages, self.connections = [], []
        self.sink.reset()
        self.listen({"listen": "good"})

    def change(self, wish):
        """Takes members of `wish` over; all or, when one is wrong, none."""
        unknown = set(wish) - {"mode", "faults", "offers", "accounts", "listen", "seconds", "up", "down"}
        if unknown:
            raise ValueError(f"no member {', '.join(sorted(unknown))}")
        wish = dict(wish)
        mode = wish.pop("mode", None)
        if mode is not None:
            if mode not in MODES:
                raise ValueError(f"no mode {mode!r}")
            # A mode is the whole of what is wrong: what an earlier one did is over.
            base = {"listen": "good", "faults": [], "offers": OFFERS} | MODES[mode]["is"]
            wish = base | wish | {"offers": OFFERS | base["offers"] | wish.get("offers", {})}
        offers = self.offers | wish.get("offers", {})
        if set(offers) - set(OFFERS) or offers["certificate"] not in CERTIFICATES:
            raise ValueError(f"no such offer or certificate: {sorted(set(offers) - set(OFFERS)) or offers['certificate']}")
        if {offers["tls_min"], offers["tls_max"]} - set(VERSIONS):
            raise ValueError("TLS is 1.0, 1.1, 1.2 or 1.3")
        for fault in wish.get("faults", ()):
            self.judge(fault)
        if wish.get("listen", "good") not in (*STATES, "flap"):
            raise ValueError(f"no way to listen {wish['listen']!r}")
        self.offers = offers
        self.accounts = wish.get("accounts", self.accounts)
        if "faults" in wish:
            self.faults = [dict(fault) for fault in wish["faults"]]
        if "listen" in wish:
            self.listen(wish)

    @staticmethod
    def judge(fault):
        at = fault["at"] if isinstance(fault["at"], list) else [fault["at"]]
        if set(at) - set(STAGES) or fault["do"] not in ACTIONS:
            raise ValueError(f"no such place or action: {fault}")
        if fault["do"] in ("reply", "inject") and not ("text" in fault or "base64" in fault):
            raise ValueError(f"a reply has text or base64: {fault}")
        re.compile(fault.get("only", ""))

    def listen(self, wish):
        """Returns when the ports are in that state."""
        if self.later:
            self.later.cancel()
            self.later = None
        state = wish["listen"]
        if state == "flap":
            self.later = asyncio.get_running_loop().create_task(self.flap(wish.get("up", 1), wish.get("down", 1)))
            return
        for port in self.ports.values():
            port.become(state)
        if "seconds" in wish:
            self.later = asyncio.get_running_loop().create_task(self.recover(wish["seconds"]))

    async def recover(self, seconds):
        await asyncio.sleep(seconds)
        for port in self.ports.values():
            port.become("good")

    async def flap(self, up, down):
        while True:
            for port in self.ports.values():
                port.become("refuse")
            await asyncio.sleep(down)
            for port in self.ports.values():
                port.become("good")
            await asyncio.sleep(up)

    async def empty(self):
        """As new: nothing wrong, an empty book, no connection."""
        tasks = list(self.tasks)
        self.drop()
        self.sink.drop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.reset()

    def drop(self, how="close"):
        """Ends the connections that are open now; returns how many there were."""
        wires = [session.wire for session in self.sessions.values()]
        for wire in wires:
            wire.end(reset=how == "reset")
        return len(wires)

    def close(self):
        if self.later:
            self.later.cancel()
        self.drop()
        for task in list(self.tasks):
            task.cancel()
        self.sink.drop()
        for port in self.ports.values():
            port.close()

    # --- what the sessions ask and tell

    def age(self):
        return round(time.monotonic() - self.began, 3)

    def context(self):
        return self.contexts.get(self.offers["certificate"], self.offers["tls_min"], self.offers["tls_max"])

    def next_fault(self, stage, argument, start=0):
        """The first fault for this place from that index on, and its index."""
        for index, fault in enumerate(self.faults[start:], start):
            at = fault["at"] if isinstance(fault["at"], list) else [fault["at"]]
            if stage not in at and not ("any" in at and stage != "handshake"):
                continue
            if not re.search(fault.get("only", ""), argument, re.IGNORECASE):
                continue
            if fault.get("after", 0) > 0:
                fault["after"] -= 1
                continue
            if fault.get("times") is not None:
                if fault["times"] <= 0:
                    continue
                fault["times"] -= 1
            self.count(faults=1)
            return index, fault
        return None, None

    def count(self, **more):
        for name, number in more.items():
            self.counts[name] += number
        self.pulse.set()
        self.pulse = asyncio.Event()

    def record(self, raw, about):
        self.messages.append({"number": len(self.messages) + 1, "at": self.age(), "raw": raw} | about)
        self.count(messages=1)

    # --- connections

    async def welcome(self, sock, implicit):
        self.count(connections=1)
        wire = Wire(held=implicit)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: wire, sock)
        session = Session(self, wire, implicit, self.counts["connections"])
        self.connections.append(session.about)
        self.sessions[session.about["number"]] = session
        task = asyncio.get_running_loop().create_task(self.serve(session))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, session):
        try:
            await session.run()
        except (Gone, OSError):
            pass
        finally:
            session.about["ended"] = session.about["ended"] or ("client" if session.wire.over else "server")
            session.about["open"] = False
            session.wire.end()
            self.sessions.pop(session.about["number"], None)
            self.count(closed=1)

    async def swallow(self, sock, implicit):
        loop = asyncio.get_running_loop()
        if implicit:
            # The handshake of one must not keep the others waiting.
            made = loop.connect_accepted_socket(self.sink.connection, sock, ssl=self.context())
            task = loop.create_task(self.quietly(made))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:
            await loop.connect_accepted_socket(self.sink.connection, sock)

    @staticmethod
    async def quietly(made):
        try:
            await made
        except (OSError, EOFError):
            pass

    # --- what is shown

    def show(self):
        return {
            "id": self.name, **{name: port.number for name, port in self.ports.items()},
            "listen": self.ports["smtp"].state, "open": len(self.sessions), "age": self.age(),
            "counts": self.counts, "offers": self.offers, "accounts": self.accounts,
            "faults": self.faults,
            "wrong": sorted({text for about in self.connections for text in about["wrong"]}),
        }

    def show_messages(self, after=0, parsed=False, to=None):
        found = []
        for message in self.messages[after:]:
            if to is not None and to not in message["recipients"]:
                continue
            shown = message | {"raw": base64.b64encode(message["raw"]).decode(), "size": len(message["raw"])}
            found.append(shown | ({"parsed": facts(message["raw"])} if parsed else {}))
        return found

    async def wait(self, wanted, seconds):
        """Whether the counters got that far within that time."""
        if set(wanted) - set(COUNTERS):
            raise ValueError(f"the counters are {', '.join(COUNTERS)}")
        deadline = time.monotonic() + seconds
        while any(self.counts[name] < number for name, number in wanted.items()):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self.pulse.wait(), left)
            except asyncio.TimeoutError:
                pass
        return True
