"""Ways to fail that have a name, and what a correct client makes of each.

A mode is data: how the ports listen, what is offered, and faults. Tests can also say those themselves.
"""

import base64

STAGES = ("connect", "handshake", "banner", "ehlo", "helo", "starttls", "auth-command", "auth", "mail", "rcpt",
          "data", "body", "dot", "rset", "noop", "quit", "any")
EXPECT = {
    "sent": "the message arrives, once, and the client knows it",
    "later": "it does not arrive; the client tries again later",
    "never": "it does not arrive; the client gives it up",
    "doubt": "the server may have it or not; the client tries again with the same Message-ID",
}
MODES = {}
HELLO = ["ehlo", "helo"]


def mode(name, about, expect, *faults, may=(), private=False, listen=None, **offers):
    """`may`: what is right as well. `private`: no credentials, addresses or content may be sent."""
    what = {"faults": list(faults), "offers": offers} | ({"listen": listen} if listen else {})
    assert name not in MODES and {expect, *may} <= set(EXPECT)
    MODES[name] = {"about": about, "expect": expect, "may": list(may), "private": private, "is": what}


def fault(at, do, **more):
    return {"at": at, "do": do} | more


def reply(at, text, **more):
    return fault(at, "reply", text=text, **more)


def raw(at, data, do="reply", **more):
    return fault(at, do, base64=base64.b64encode(data).decode(), **more)


mode("good", "nothing is wrong", "sent")

# --- not there ---------------------------------------------------------------------------------------
mode("refuse", "the connection is refused", "later", listen="refuse")
mode("unanswered", "the connection is neither refused nor accepted", "later", listen="unanswered")
mode("close", "accepts and closes", "later", fault("connect", "close"))
mode("reset", "accepts and resets", "later", fault("connect", "reset"))
mode("hang", "accepts and is silent, also towards a TLS handshake", "later", fault("connect", "hang"))
mode("banner-http", "an HTTP server", "later", raw("banner", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", close=True), may=["never"])
mode("banner-ssh", "an SSH server", "later", raw("banner", b"SSH-2.0-OpenSSH_9.2\r\n"), may=["never"])
mode("flap", "up for a second, down for a second", "sent", listen="flap", may=["later", "doubt"])

# --- slow --------------------------------------------------------------------------------------------
mode("slow-banner", "the banner comes after 6 s", "sent", fault("banner", "delay", seconds=6), may=["later"])
mode("slow", "each reply takes 2 s", "sent", fault("any", "delay", seconds=2), may=["later"])
mode("crawl", "each reply takes 9 s: every step is in time, the whole is not", "later", fault("any", "delay", seconds=9), may=["doubt", "sent"])
mode("drip", "each byte of a reply takes 0.2 s", "sent", fault("any", "drip", interval=0.2), may=["later", "doubt"])
mode("drip-dot", "each byte of the last reply takes 3 s", "sent", fault("dot", "drip", interval=3), may=["doubt"])
for place in ("banner", "ehlo", "starttls", "handshake", "auth-command", "auth", "mail", "rcpt", "data"):
    where, early = HELLO if place == "ehlo" else place, place in ("starttls", "handshake")
    mode(f"hang-{place}", f"never answers at {place}", "later", fault(where, "hang"), private=early)
    mode(f"close-{place}", f"closes at {place}, without a reply", "later", fault(where, "close"), private=early)
mode("hang-body", "stops reading in the middle of the message", "doubt", fault("body", "hang"), may=["later"])
mode("close-body", "closes in the middle of the message", "doubt", fault("body", "close"), may=["later"])
for place in ("mail", "rcpt", "data"):
    mode(f"reset-{place}", f"resets at {place}", "later", fault(place, "reset"))
mode("hang-dot", "takes the message and never says so", "doubt", fault("dot", "hang", record=True))
mode("hang-dot-lost", "loses the message and never says so", "doubt", fault("dot", "hang"))
mode("close-dot", "takes the message and closes without a reply", "doubt", fault("dot", "close", record=True))
mode("close-dot-lost", "loses the message and closes without a reply", "doubt", fault("dot", "close"))
mode("reset-dot", "takes the message and resets without a reply", "doubt", fault("dot", "reset", record=True))
mode("cut-dot", "takes the message and closes in the middle of the reply", "doubt", raw("dot", b"250 2.0.0 que", close=True, record=True))
mode("crash-after-dot", "says 250, closes, and has not kept the message: nobody can know", "sent", reply("dot", "250 2.0.0 queued", close=True))
mode("close-after-dot", "says 250, keeps the message, closes without QUIT", "sent", reply("dot", "250 2.0.0 queued", close=True, record=True))
mode("hang-quit", "never answers QUIT", "sent", fault("quit", "hang"))
mode("close-quit", "closes at QUIT without a reply", "sent", fault("quit", "close"))
mode("500-quit", "QUIT is refused", "sent", reply("quit", "500 5.5.1 what?"))

# --- says no -----------------------------------------------------------------------------------------
ENHANCED = {421: "4.3.2", 450: "4.2.1", 451: "4.3.0", 452: "4.2.2", 550: "5.1.1", 552: "5.2.2", 553: "5.1.3", 554: "5.7.1"}
for place in ("banner", "ehlo", "mail", "rcpt", "data", "dot"):
    for code in ENHANCED:
        text = f"{code} {ENHANCED[code]} " + ("come back later" if code < 500 else "not here")
        # A server that wants nobody is no verdict on the message.
        unsure = ["later"] if code >= 500 and place in ("banner", "ehlo") else []
        mode(f"{code}-{place}", f"{code} at {place}", "later" if code < 500 else "never",
             reply(HELLO if place == "ehlo" else place, text, close=code == 421 or place == "banner"), may=unsure)
mode("552-body", "552 in the middle of the message, then closes", "never", reply("body", "552 5.3.4 too big", close=True), may=["later", "doubt"])
mode("one-refused", "550 for recipients that begin with `refused`, the others are taken", "never", reply("rcpt", "550 5.1.1 nobody of that name", only="^refused"), may=["sent"])
mode("one-later", "451 for recipients that begin with `refused`, the others are taken", "later", reply("rcpt", "451 4.7.1 greylisted", only="^refused"), may=["sent"])
mode("251-rcpt", "251: will forward", "sent", reply("rcpt", "251 2.1.5 will forward"))
mode("greylist", "451 for the first recipient, and good from then on", "later", reply("rcpt", "451 4.7.1 greylisted", times=1))
mode("no-detail", "replies without enhanced status codes, and without text", "never", reply("rcpt", "550"), enhanced=False)

# --- TLS ---------------------------------------------------------------------------------------------
mode("starttls-absent", "STARTTLS is not offered", "later", private=True, starttls=False, may=["never"])
for code, text in ((454, "4.7.0 TLS not available"), (501, "5.5.4 syntax"), (502, "5.5.1 not implemented"), (554, "5.7.3 no")):
    mode(f"{code}-starttls", f"STARTTLS is offered and answered with {code}", "later", reply("starttls", f"{code} {text}"), private=True, may=["never"])
mode("starttls-garbage", "220, then garbage in place of the handshake", "later",
     raw("handshake", b"garbage!\n\0\0\xff\xff\r\n", close=True), private=True, may=["never"])
mode("starttls-clear", "220, and goes on in the clear", "later",
     raw("handshake", b"250-mx.test\r\n250-AUTH PLAIN\r\n250 SIZE 1000\r\n" * 20, close=True), private=True, may=["never"])
mode("starttls-inject", "an EHLO answer in one packet with the 220: a reason to stop, or else to be ignored", "later",
     raw("starttls", b"250-mx.test\r\n250-XINJECTED\r\n250 AUTH PLAIN\r\n", do="inject"), may=["sent", "never"])
mode("starttls-inject-all", "all replies up to the last 250 in one packet with the 220, and silence under TLS", "later",
     raw("starttls", b"250-mx.test\r\n250 AUTH PLAIN\r\n235 2.7.0 ok\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n250 2.0.0 queued\r\n",
         do="inject"), fault(HELLO, "hang", after=1), may=["never"])
mode("certificate-ca-leaf", "the CA's own certificate: webpki refuses it, OpenSSL does not", "later", may=["never", "sent"], certificate="ca-leaf")
for name in ("other-host", "expired", "future", "foreign", "self-signed"):
    mode(f"certificate-{name}", f"the certificate `{name}`", "later", private=True, may=["never"], certificate=name)
mode("tls-1.0", "TLS 1.0 is the newest", "later", private=True, may=["never"], tls_min="1.0", tls_max="1.0")
mode("tls-1.1", "TLS 1.1 is the newest", "later", private=True, may=["never"], tls_min="1.0", tls_max="1.1")
mode("tls-1.2", "TLS 1.2 and no other", "sent", tls_max="1.2")
mode("tls-1.3", "TLS 1.3 and no other", "sent", tls_min="1.3")

# --- credentials -------------------------------------------------------------------------------------
mode("auth-535", "the password is wrong", "later", reply("auth", "535 5.7.8 authentication failed"), may=["never"])
mode("auth-534", "another mechanism is wanted", "later", reply("auth", "534 5.7.9 too weak"), may=["never"])
mode("auth-454", "authentication fails for now", "later", reply("auth", "454 4.7.0 try later"))
mode("auth-421", "closes with 421 instead of authentication", "later", reply("auth", "421 4.3.2 shutting down", close=True))
mode("auth-504", "the mechanism is offered and refused", "later", reply("auth-command", "504 5.5.4 not that"), may=["never"])
mode("auth-absent", "AUTH is not offered, and not needed", "later", auth=[], may=["sent", "never"])
mode("auth-required", "AUTH is not offered, and needed: 530", "later", auth=[], require_auth=True, may=["never"])
mode("auth-other", "only mechanisms that nobody should need", "later", auth=["CRAM-MD5", "GSSAPI"], require_auth=True, may=["never"])
mode("auth-login", "LOGIN alone", "sent", auth=["LOGIN"], may=["later"])
mode("auth-plain", "PLAIN alone", "sent", auth=["PLAIN"])
mode("auth-in-clear", "AUTH is offered before STARTTLS: to be left alone until then", "sent", auth_in_clear=True)
mode("auth-clear-only", "AUTH is offered in the clear, STARTTLS is not", "later", private=True, may=["never"], starttls=False, auth_in_clear=True)
mode("auth-challenge", "a challenge that is no base64", "later", reply("auth-command", "334 *** what? ***", close=True), may=["never"])

# --- what is offered ---------------------------------------------------------------------------------
mode("no-smtputf8", "without SMTPUTF8", "sent", smtputf8=False)
mode("no-8bitmime", "without 8BITMIME and SMTPUTF8", "sent", eightbitmime=False, smtputf8=False)
mode("no-pipelining", "without PIPELINING", "sent", pipelining=False)
mode("bare", "STARTTLS and AUTH, and nothing else", "sent", pipelining=False, eightbitmime=False, smtputf8=False, enhanced=False, size=0)
mode("no-ehlo", "EHLO is unknown, HELO is not: so no TLS", "later", reply("ehlo", "502 5.5.1 what?"), private=True, may=["never"])
mode("size-small", "SIZE 200: too small for any mail", "never", size=200, may=["later"])
mode("many-offers", "500 extensions that nobody knows", "sent", extra=[f"X-{number} {'y' * 40}" for number in range(500)], may=["later"])
mode("lax-lines", "takes any line break for one: a lone LF, a dot, a lone LF end the message", "sent", lax_lines=True)

# --- too much ----------------------------------------------------------------------------------------
for place in ("banner", "ehlo", "mail", "rcpt", "dot"):
    where, code = (HELLO if place == "ehlo" else place), "220" if place == "banner" else "250"
    expect, may = ("doubt", ["later", "never"]) if place == "dot" else ("later", ["never"])
    mode(f"flood-{place}", f"1 GiB of reply lines at {place}", expect, fault(where, "flood", code=code), may=may)
    mode(f"endless-{place}", f"a reply line of 1 GiB at {place}", expect, fault(where, "flood", code=code, one_line=True), may=may)

# --- not SMTP ----------------------------------------------------------------------------------------
NOT_SMTP = {
    "text": (b"hello there\r\n", "no code"), "empty": (b"\r\n", "an empty line"), "nul": (b"\0\0\0\0\r\n", "NUL bytes"),
    "short": (b"25\r\n", "a code of two digits"), "long": (b"2500 ok\r\n", "a code of four digits"),
    "code-999": (b"999 what\r\n", "a code that no reply has"), "code-000": (b"000 what\r\n", "a code that no reply has"),
    "code-1": (b"150 about to\r\n", "1yz, which SMTP does not have"), "code-3": (b"354 go\r\n", "3yz where it does not belong"),
    "mixed": (b"250-one\r\n550 two\r\n", "lines of different codes"), "separator": (b"250+ok\r\n", "a sign that does not belong behind the code"),
}
for name, (data, about) in NOT_SMTP.items():
    mode(f"{name}-mail", f"{about}, at mail", "later", raw("mail", data), may=["never", "sent"])
    if name != "code-3":
        mode(f"{name}-dot", f"{about}, in place of the last reply", "doubt", raw("dot", data), may=["later", "never", "sent"])
mode("lf-replies", "a lone LF ends the replies", "sent", *[raw(place, data) for place, data in (
    ("mail", b"250 2.1.0 ok\n"), ("rcpt", b"250 2.1.5 ok\n"), ("data", b"354 go\n"))], may=["later", "doubt"])
mode("latin-1", "replies in ISO 8859-1", "sent", raw("mail", b"250 2.1.0 gr\xfc\xdfe\r\n"), raw("rcpt", b"250 2.1.5 gr\xfc\xdfe\r\n"), may=["later"])
mode("latin-1-550", "a refusal in ISO 8859-1", "never", raw("rcpt", b"550 5.1.1 unbekannter Empf\xe4nger\r\n"), may=["later"])
mode("utf-8-550", "a refusal in UTF-8", "never", raw("rcpt", "550 5.1.1 unbekannter Empfänger – 未知\r\n".encode()))
mode("escape-550", "a refusal with terminal codes, NUL and a lone CR, which a log must not show as they are", "never",
     raw("rcpt", b"550 5.1.1 \x1b[2J\x1b]0;owned\x07 \0 a\rlevel=error forged\x7f\r\n"), may=["later"])
mode("long-550", "a refusal of 50 lines with 500 bytes each", "never", reply("rcpt", ["550 5.1.1 no"] + ["5.1.1 " + "x" * 500] * 50), may=["later"])
mode("unasked", "an unasked 250 behind the banner: all replies are late by one", "later", raw("banner", b"220 mx.test ESMTP\r\n250 2.0.0 ok\r\n"),
     may=["sent", "never", "doubt"])
mode("early-250", "the 250 for the message together with the 354, and 550 after the message", "never",
     raw("data", b"354 go\r\n250 2.0.0 queued\r\n"), reply("dot", "550 5.7.1 refused"), may=["later", "sent", "doubt"])
