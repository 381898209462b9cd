"""What an answer of a broken user office may be.

Each takes (reply, wish): `reply.yes` is the body of a positive answer to what was asked, whatever the
truth is, so that a reader who is not careful lets somebody in; `wish` is what the test said.
"""

import gzip
import json
import time

from listener import reset_on_close, wait_gone

FAULTS = {}


def fault(name, about, expect="fault", may=(), **by_service):
    """`expect` is what a correct client makes of it; keywords name the services where it is something else."""

    def keep(function):
        FAULTS[name] = {"about": about, "expect": expect, "may": list(may), "at": by_service, "do": function}
        return function

    return keep


# --- slow and silent -------------------------------------------------------------------------------

@fault("good", "nothing is wrong; holds a place in a sequence of faults", expect="honest")
def good(reply, wish):
    reply.honest()


@fault("delay", "the honest answer, late: after `seconds_late` (6)", expect="honest", may=["fault"])
def delay(reply, wish):
    wait_gone(reply.sock, wish.get("seconds_late", 6))
    reply.honest()


@fault("hang", "takes the request and never answers")
def hang(reply, wish):
    reply.hang()


@fault("hang-headers", "stops in the middle of the header")
def hang_headers(reply, wish):
    reply.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/js")
    reply.hang()


@fault("hang-body", "stops in the middle of the body")
def hang_body(reply, wish):
    reply.head(200, {"Content-Length": len(reply.yes)})
    reply.write(reply.yes[: len(reply.yes) // 2])
    reply.hang()


@fault("drip", "the honest answer, one byte every `interval` (1) seconds", expect="honest", may=["fault"])
def drip(reply, wish):
    status, headers, body = reply.truth()
    reply.head(status, headers | {"Content-Length": len(body)})
    reply.slowly(body, wish)


@fault("drip-headers", "the same from the first byte of the header on", expect="honest", may=["fault"])
def drip_headers(reply, wish):
    status, headers, body = reply.truth()
    reply.slowly(reply.head_bytes(status, headers | {"Content-Length": len(body)}) + body, wish)


@fault("drip-spaces", "blanks before the JSON, one every `interval` (1) seconds, without an end")
def drip_spaces(reply, wish):
    reply.head(200, {"Transfer-Encoding": "chunked"})
    while reply.write(b"1\r\n \r\n"):
        time.sleep(wish.get("interval", 1))


@fault("continue", "100 Continue again and again, never an answer")
def endless_continue(reply, wish):
    while reply.write(b"HTTP/1.1 100 Continue\r\n\r\n"):
        time.sleep(wish.get("interval", 0.05))


# --- cut off ---------------------------------------------------------------------------------------

@fault("close", "closes without an answer")
def close(reply, wish):
    pass


@fault("reset", "resets without an answer")
def reset(reply, wish):
    reset_on_close(reply.sock)


@fault("reset-body", "resets in the middle of the body")
def reset_body(reply, wish):
    reply.head(200, {"Content-Length": len(reply.yes) + 1000})
    reply.write(reply.yes)
    time.sleep(0.05)
    reset_on_close(reply.sock)


@fault("truncated", "JSON that ends early, in a complete answer")
def truncated(reply, wish):
    reply.send(200, reply.yes[:-1])


@fault("length-long", "closes before the announced length, after complete JSON")
def length_long(reply, wish):
    reply.head(200, {"Content-Length": len(reply.yes) + 100})
    reply.write(reply.yes)


@fault("length-short", "announces fewer bytes than it sends")
def length_short(reply, wish):
    reply.head(200, {"Content-Length": len(reply.yes) - 1})
    reply.write(reply.yes)


@fault("length-twice", "two Content-Lengths that differ")
def length_twice(reply, wish):
    reply.write(reply.head_bytes(200, {"Content-Length": len(reply.yes)})[:-2] + b"Content-Length: 1\r\n\r\n" + reply.yes)


@fault("length-garbage", "a Content-Length that is no number")
def length_garbage(reply, wish):
    reply.head(200, {"Content-Length": "-1"})
    reply.write(reply.yes)


@fault("bad-chunk", "chunks whose size is no number")
def bad_chunk(reply, wish):
    reply.head(200, {"Transfer-Encoding": "chunked"})
    reply.write(b"zz\r\n" + reply.yes + b"\r\n0\r\n\r\n")


@fault("chunk-cut", "closes before the last chunk, after complete JSON")
def chunk_cut(reply, wish):
    reply.head(200, {"Transfer-Encoding": "chunked"})
    reply.write(b"%x\r\n%s\r\n" % (len(reply.yes), reply.yes))


@fault("not-http", "answers with something that is not HTTP")
def not_http(reply, wish):
    reply.write(b"220 mail.example.org ESMTP\r\n" + reply.yes)


# --- states ----------------------------------------------------------------------------------------

@fault("status", "any `status` (500), with a JSON error, or the positive answer with `yes`")
def status(reply, wish):
    code = wish.get("status", 500)
    headers = wish.get("headers", {})
    reply.send(code, reply.yes if wish.get("yes") else json.dumps({"error": "no"}).encode(), headers)


def plain_status(code, about, headers=None, **at):
    @fault(str(code), about, **at)
    def answer(reply, wish):
        extra = dict(headers or {})
        if "Retry-After" in extra:
            extra["Retry-After"] = wish.get("retry_after", extra["Retry-After"])
        reply.send(code, reply.yes if wish.get("yes") else b'{"error": "no"}', extra)


plain_status(500, "the office has failed; with `yes`, with a positive body")
plain_status(502, "the proxy before the office cannot reach it")
plain_status(503, "overloaded, with Retry-After: `retry_after` (120), seconds or a date", {"Retry-After": 120})
plain_status(504, "the proxy before the office gave up")
plain_status(429, "too many requests, with Retry-After: `retry_after` (120)", {"Retry-After": 120})
plain_status(400, "calls the request malformed", login="rejected")
plain_status(401, "refuses the credentials: the person's at login, our own elsewhere",
             {"WWW-Authenticate": 'Basic realm="user office"'}, login="rejected")
plain_status(403, "forbids it", may=["rejected"])
plain_status(404, "does not know it", hash="unknown", authorization="denied", experiments="unknown")
plain_status(201, "a state of success that was not agreed upon", may=["honest"])
plain_status(202, "accepted but not done")


@fault("204", "success without a body")
def no_content(reply, wish):
    reply.head(204, {})


@fault("206", "half of the body as a partial answer")
def partial(reply, wish):
    half = len(reply.yes) // 2
    reply.send(206, reply.yes[:half], {"Content-Range": f"bytes 0-{half - 1}/{len(reply.yes)}"})


# --- the wrong content -----------------------------------------------------------------------------

@fault("html", "200 with a web page, as a captive portal answers")
def html(reply, wish):
    reply.send(200, b"<!DOCTYPE html><html><body><h1>Welcome</h1>Please accept our terms.</body></html>",
               {"Content-Type": "text/html; charset=utf-8"})


@fault("html-as-json", "the same, called application/json")
def html_as_json(reply, wish):
    reply.send(200, b"<!DOCTYPE html><html><body>alice</body></html>")


@fault("empty", "200 with no body")
def empty(reply, wish):
    reply.send(200, b"")


@fault("not-json", "200 with a traceback in plain text", expect="fault")
def not_json(reply, wish):
    reply.send(200, b"Traceback (most recent call last):\n  File \"office.py\"\n", {"Content-Type": "text/plain"})


@fault("text-type", "the positive JSON, called text/plain", may=["honest"])
def text_type(reply, wish):
    reply.send(200, reply.yes, {"Content-Type": "text/plain"})


@fault("html-type", "the positive JSON, called text/html")
def html_type(reply, wish):
    reply.send(200, reply.yes, {"Content-Type": "text/html"})


@fault("no-type", "the positive JSON without a Content-Type", may=["honest"])
def no_type(reply, wish):
    reply.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(reply.yes) + reply.yes)


@fault("json", "any `value` as JSON, with `status` (200)", expect="as the value says")
def any_json(reply, wish):
    reply.send(wish.get("status", 200), json.dumps(wish.get("value")).encode())


@fault("text", "any `text`, with `status` (200), `type` (application/json) and `headers`", expect="as the text says")
def any_text(reply, wish):
    reply.send(wish.get("status", 200), wish.get("text", "").encode(),
               {"Content-Type": wish.get("type", "application/json")} | wish.get("headers", {}))


@fault("raw", "any bytes: `hex`, in place of the whole answer", expect="as the bytes say")
def raw(reply, wish):
    reply.write(bytes.fromhex(wish["hex"]))


WRONG_TYPES = {
    "login": {"username": ["alice"], "uid": "5001x", "email": 7, "groups": "staff"},
    "hash": {"username": 42, "login": True, "uid": {}},
    "authorization": {"result": "true"},
    "experiments": {"count": "many", "next": 7, "previous": [], "results": {"subject": "x"}},
}
MISSING = {
    "login": {"message": "ok"},
    "hash": {"facility": "north"},
    "authorization": {"results": True},
    "experiments": {"count": 1, "results": [{}]},
}


@fault("wrong-types", "JSON whose members have wrong types, such as \"true\" for true", login="fault")
def wrong_types(reply, wish):
    reply.send(200, json.dumps(WRONG_TYPES[reply.service]).encode())


@fault("missing", "JSON without the members that count", login="verified", experiments="fault")
def missing(reply, wish):
    reply.send(200, json.dumps(MISSING[reply.service]).encode())


for _name, _text in (("null", "null"), ("list", "[]"), ("object", "{}"), ("true", "true"), ("number", "1"), ("string", '""')):
    def _simple(reply, wish, text=_text):
        reply.send(200, text.encode())

    fault(f"json-{_name}", f"200 with nothing but {_text}", may=["verified"] if _name == "object" else ())(_simple)


@fault("in-list", "the positive answer inside of a list")
def in_list(reply, wish):
    reply.send(200, b"[" + reply.yes + b"]")


@fault("duplicate-keys", "each member twice, a bad one before the good one", may=["verified"])
def duplicate_keys(reply, wish):
    value = json.loads(reply.yes)
    if not isinstance(value, dict):
        value = {"username": value}
    bad = {"username": "mallory", "login": "mallory", "result": False, "count": 0, "results": []}
    pairs = [(key, bad[key]) for key in value if key in bad] + list(value.items())
    reply.send(200, ("{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs) + "}").encode())


@fault("trailing", "the positive answer and more JSON behind it")
def trailing(reply, wish):
    reply.send(200, reply.yes + b'{"result": false}')


@fault("deep", "an unknown member nested `depth` (100000) levels deep", may=["honest", "verified"])
def deep(reply, wish):
    depth = wish.get("depth", 100_000)
    reply.send(200, reply.with_member(b'"deep":' + b"[" * depth + b"]" * depth))


@fault("other-user", "a good answer about mallory, whoever was asked for")
def other_user(reply, wish):
    reply.send(200, reply.about_another(wish.get("name", "mallory")))


# --- how it is written -----------------------------------------------------------------------------

@fault("utf-16", "UTF-16, and says so")
def utf16(reply, wish):
    reply.send(200, reply.yes.decode().encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"})


@fault("latin-1", "a name in ISO 8859-1 where UTF-8 belongs, and calls it UTF-8")
def latin1(reply, wish):
    reply.send(200, reply.with_member('"first_name":"Gästin"'.encode("latin-1")),
               {"Content-Type": "application/json; charset=utf-8"})


@fault("charset", "UTF-8 that is called ISO 8859-1, with letters outside of ASCII", may=["honest", "verified"])
def charset(reply, wish):
    reply.send(200, reply.with_member('"first_name":"Gästin"'.encode()), {"Content-Type": "application/json; charset=iso-8859-1"})


@fault("bom", "a byte order mark before the JSON", may=["honest", "verified"])
def bom(reply, wish):
    reply.send(200, b"\xef\xbb\xbf" + reply.yes)


@fault("surrogate", "half of a surrogate pair in a name")
def surrogate(reply, wish):
    reply.send(200, reply.about_another("al\ud800ice"))


@fault("nul", "NUL and line breaks in a name")
def nul(reply, wish):
    reply.send(200, reply.about_another("al\0ice\r\nX-A: b"))


@fault("gzip", "the honest answer, compressed without being asked", expect="honest", may=["fault"])
def gzipped(reply, wish):
    status, headers, body = reply.truth()
    reply.send(status, gzip.compress(body), headers | {"Content-Encoding": "gzip"})


@fault("chunked", "the honest answer in chunks of one byte, with a trailer", expect="honest")
def chunked(reply, wish):
    status, headers, body = reply.truth()
    reply.head(status, headers | {"Transfer-Encoding": "chunked"})
    reply.write(b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\nX-Trailer: 1\r\n\r\n")


# --- too much --------------------------------------------------------------------------------------

@fault("padded", "the positive answer with `size` (900000) bytes of an unknown member", expect="verified", may=["fault"])
def padded(reply, wish):
    reply.send(200, reply.with_member(b'"padding":"%s"' % (b"x" * wish.get("size", 900_000))))


@fault("huge", "the same with 50 MB: more than anybody should read")
def huge(reply, wish):
    body = reply.with_member(b'"padding":""')
    reply.flood(body[:-2], body[-2:], wish.get("size", 50_000_000))


@fault("gigabytes", "announces 4 GiB and sends it")
def gigabytes(reply, wish):
    reply.flood(b'{"padding":"', b'"}', 4 << 30)


@fault("endless", "chunks without an end")
def endless(reply, wish):
    reply.head(200, {"Transfer-Encoding": "chunked"})
    reply.write(b'c\r\n{"padding":"\r\n')
    block = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    while reply.write(block):
        pass


@fault("gzip-bomb", "little that unpacks to `size` (1 GB)")
def gzip_bomb(reply, wish):
    global _bomb
    if _bomb is None:
        # A member of 64 MB, sixteen times over: gzip readers go on from one member to the next.
        _bomb = gzip.compress(b" " * (64 << 20), 1)
    body = _bomb * max(1, wish.get("size", 1 << 30) >> 26) + gzip.compress(reply.yes)
    reply.send(200, body, {"Content-Encoding": "gzip"})


_bomb = None


@fault("long-header", "a header line of 1 MB")
def long_header(reply, wish):
    reply.send(200, reply.yes, {"X-Long": "x" * 1_000_000})


@fault("many-headers", "10,000 header lines")
def many_headers(reply, wish):
    reply.send(200, reply.yes, {f"X-Header-{n}": "x" for n in range(10_000)})


# --- elsewhere -------------------------------------------------------------------------------------

def redirect(name, about, place):
    @fault(name, f"{about}, with `status` (307)")
    def answer(reply, wish):
        reply.send(wish.get("status", 307), reply.yes, {"Location": place(reply)})


redirect("redirect-self", "redirects to itself", lambda reply: reply.target)
redirect("redirect-bait", "redirects to another port, where everything is answered with yes", lambda reply: reply.bait)
redirect("redirect-plain", "redirects to this service without TLS", lambda reply: reply.plain)
redirect("redirect-file", "redirects to file:///etc/passwd", lambda reply: "file:///etc/passwd")
redirect("redirect-userinfo", "redirects to the bait as user:password@", lambda reply: reply.bait.replace("://", "://a:b@"))
redirect("redirect-nowhere", "redirects to something that is not a URL", lambda reply: "http://[::bad")


@fault("redirect-header", "200 with Location and Refresh to the bait, and a positive body", may=["honest", "verified"])
def redirect_header(reply, wish):
    reply.send(200, reply.yes, {"Location": reply.bait, "Refresh": f"0; url={reply.bait}"})
