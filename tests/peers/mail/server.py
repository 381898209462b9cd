#!/usr/bin/env python3
"""The scripted SMTP servers, their control API, and the greylist of Postfix.

    server.py DIR HOME    writes DIR/mail-server.env once it listens; certificates are in DIR/tls

HOME is the folder of Postfix, with the Maildir in it.
"""

import asyncio
import itertools
import os
import resource
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "user_office")]
from listener import closed_port, control
from maildir import Maildir
from modes import EXPECT, MODES
from wire import Contexts
from world import OFFERS, World


class Server:
    def __init__(self, tls, home, loop):
        self.loop = loop
        self.contexts = Contexts(tls)
        self.maildir = Maildir(os.path.join(home, "mail", "all"))
        self.worlds = {}
        self.numbers = itertools.count(1)
        self.grey = set()

    # --- the control API; called in threads of its own

    def handle(self, method, path, query, body):
        if not isinstance(body, dict):
            raise ValueError("the body is an object")
        return asyncio.run_coroutine_threadsafe(self.answer(method, path.split("/"), query, body), self.loop).result()

    async def answer(self, method, path, query, body):
        match method, path:
            case "GET", ["modes"]:
                return {name: mode | {"name": name} for name, mode in MODES.items()}
            case "GET", ["expect"]:
                return EXPECT
            case "GET", ["offers"]:
                return OFFERS
            case "GET", ["worlds"]:
                return [world.show() for world in self.worlds.values()]
            case "POST", ["worlds"]:
                name = f"w{next(self.numbers)}"
                self.worlds[name] = World(name, self.contexts, body)
                return self.worlds[name].show()
            case "DELETE", ["worlds"]:
                for name in list(self.worlds):
                    self.worlds.pop(name).close()
                return {}
            case "GET", ["postfix"]:
                return await self.delivered(query)
            case _, ["worlds", name, *rest]:
                if name not in self.worlds:
                    raise LookupError(f"no world {name!r}")
                return await self.in_world(method, self.worlds[name], rest, query, body)
        raise LookupError(f"nothing at {method} {'/'.join(path)}")

    async def in_world(self, method, world, rest, query, body):
        match method, rest:
            case "GET", []:
                return world.show()
            case "POST", []:
                world.change(body)
                return world.show()
            case "DELETE", []:
                self.worlds.pop(world.name).close()
                return {}
            case "POST", ["reset"]:
                await world.empty()
                return world.show()
            case "POST", ["drop"]:
                return {"dropped": world.drop(body.get("how", "close"))}
            case "GET", ["messages"]:
                return world.show_messages(int(query.get("after", 0)), "parsed" in query, query.get("to"))
            case "GET", ["connections"]:
                return world.connections
            case "GET", ["sink"]:
                return world.sink.show()
            case "GET", ["wait"]:
                seconds = float(query.pop("seconds", 10))
                reached = await world.wait({name: int(number) for name, number in query.items()}, seconds)
                return {"reached": reached, "counts": world.counts}
        raise LookupError(f"nothing at {method} {'/'.join(rest)} of a world")

    async def delivered(self, query):
        """What Postfix delivered to one or to all; with `messages`, waits for that many."""
        wanted, to = int(query.get("messages", 0)), query.get("to")
        deadline = time.monotonic() + float(query.get("seconds", 10))
        while True:
            found = self.maildir.messages(to)
            if len(found) >= wanted or time.monotonic() >= deadline:
                return found
            await asyncio.sleep(0.05)

    # --- Postfix asks whether to take a recipient (SMTPD_POLICY_README)

    async def policy(self, reader, writer):
        try:
            while True:
                request = {}
                while line := (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\n"):
                    name, _, value = line.partition("=")
                    request[name] = value
                triple = request.get("sender", ""), request.get("recipient", "").lower()
                action = "DUNNO"
                if triple[1].startswith("grey") and triple not in self.grey:
                    self.grey.add(triple)
                    action = "451 4.7.1 greylisted, come back"
                writer.write(f"action={action}\n\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def write(name, text):
    """The file is there with all that is in it, or not at all."""
    with open(name + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name + ".new", name)


async def main(folder, home):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.umask(0o077)
    server = Server(f"{folder}/tls", home, asyncio.get_running_loop())
    policy = await asyncio.start_server(server.policy, "127.0.0.1", 0)
    closed = closed_port()
    port = control(server.handle)
    write(f"{folder}/policy.port", str(policy.sockets[0].getsockname()[1]))
    write(f"{folder}/mail-server.env", f"""export VESTIBULE_TEST_MAIL_CONTROL=http://127.0.0.1:{port}/__control
export VESTIBULE_TEST_MAIL_CLOSED=127.0.0.1:{closed.getsockname()[1]}
""")
    await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
