"""A strict relying party, only as large as the check of the test providers needs it: it knows RS256 alone."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import secrets
import time
import urllib.parse

REDIRECT = "http://127.0.0.1:9/auth/test/callback"  # nobody listens there: the walk stops at this address


class Fault(Exception):
    """The provider's answer is broken."""


class Refused(Exception):
    """The browser's answer is wrong, or the provider said no."""


# --- requests, with a limit on size and time -----------------------------------------------------


def request(url, method="GET", headers=None, body=None, limit=1 << 20, seconds=1.5):
    """Status, headers and body; follows no redirect."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or parts.hostname != "127.0.0.1":
        raise Fault(f"will not ask {url[:60]}")
    end = time.monotonic() + seconds
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    try:
        connection.request(method, urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), body, headers or {})
        answer = connection.getresponse()
        data = b""
        while True:
            connection.sock and connection.sock.settimeout(max(0.01, end - time.monotonic()))
            part = answer.read1(65536)
            if not part:
                break
            data += part
            if len(data) > limit:
                raise Fault("too long")
            if time.monotonic() > end:
                raise Fault("too slow")
        if answer.length:
            raise Fault("ended early")
        return answer.status, answer.headers, data
    except TimeoutError as error:
        raise Fault("too slow") from error
    except (OSError, http.client.HTTPException) as error:
        raise Fault(f"connection: {type(error).__name__}") from error
    finally:
        connection.close()


def distinct(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Fault("a member stands there twice")
    return dict(pairs)


def parse(data, kind=dict):
    try:
        value = json.loads(data.decode(), object_pairs_hook=distinct)
    except (ValueError, RecursionError) as error:
        raise Fault(f"not JSON: {type(error).__name__}") from error
    if not isinstance(value, kind):
        raise Fault(f"JSON of the wrong type: {type(value).__name__}")
    return value


def get_json(url, **more):
    status, headers, data = request(url, **more)
    if status != 200:
        raise Fault(f"status {status}")
    if headers.get_content_type() not in ("application/json", "application/jwk-set+json"):
        raise Fault(f"content type {headers.get_content_type()}")
    return parse(data)


def member(of, name, kind=str):
    value = of.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) or value == "":
        raise Fault(f"{name} is {str(value)[:40]!r}")
    return value


# --- a strict relying party ----------------------------------------------------------------------


def unb64(text):
    if not re.fullmatch(r"[\w-]*", text, re.ASCII):
        raise Fault("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def rs256(key, text, signature):
    """PKCS #1 v1.5 with SHA-256, by comparing the whole padded block."""
    n, e = (int.from_bytes(unb64(member(key, name)), "big") for name in "ne")
    size = (n.bit_length() + 7) // 8
    if n.bit_length() < 2048:
        raise Fault("weak key")
    tail = PREFIX + hashlib.sha256(text).digest()
    block = b"\0\1" + b"\xff" * (size - len(tail) - 3) + b"\0" + tail
    return len(signature) == size and hmac.compare_digest(pow(int.from_bytes(signature, "big"), e, n).to_bytes(size, "big"), block)


def verified(token, keys):
    """Header and claims of a token that a published RSA key has signed."""
    parts = token.split(".")
    if len(token) > 1 << 20 or len(parts) != 3:
        raise Fault("not a token of three parts")
    header, claims, signature = parse(unb64(parts[0])), parse(unb64(parts[1])), unb64(parts[2])
    if header.get("alg") != "RS256":
        raise Fault(f"alg is {header.get('alg')!r}")
    if "crit" in header or "zip" in header:
        raise Fault("an extension is demanded")
    usable = [k for k in keys if k.get("kty") == "RSA" and k.get("use", "sig") == "sig" and k.get("alg", "RS256") == "RS256"]
    if "kid" in header:
        usable = [k for k in usable if k.get("kid") == header["kid"]]
    if not usable:
        raise LookupError("no such key")
    if not any(rs256(key, ".".join(parts[:2]).encode(), signature) for key in usable):
        raise Fault("the signature is wrong")
    return header, claims


class Client:
    """Logs in at one issuer, keeping metadata and keys as a real client would."""

    def __init__(self, issuer, client_id, secret, way="basic"):
        self.issuer, self.client_id, self.secret, self.way = issuer, client_id, secret, way
        self.metadata = self.keys = None

    def discover(self):
        meta = get_json(self.issuer + "/.well-known/openid-configuration")
        if member(meta, "issuer") != self.issuer:
            raise Fault("issuer mismatch")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            parts = urllib.parse.urlsplit(member(meta, name))
            if parts.scheme != "http" or parts.username:
                raise Fault(f"{name} is {meta[name][:40]}")
        if "RS256" not in member(meta, "id_token_signing_alg_values_supported", list):
            raise Fault("RS256 is not announced")
        self.metadata = meta

    def fetch_keys(self):
        keys = member(get_json(self.metadata["jwks_uri"]), "keys", list)
        self.keys = [key for key in keys if isinstance(key, dict)]

    def verify(self, token):
        if self.keys is None:
            self.fetch_keys()
        try:
            return verified(token, self.keys)
        except (LookupError, Fault):
            # Perhaps the keys have changed: once more, and then it counts.
            self.fetch_keys()
        try:
            return verified(token, self.keys)
        except LookupError as error:
            raise Fault(str(error)) from error

    def begin(self, more=None):
        if self.metadata is None:
            self.discover()
            self.fetch_keys()
        self.state, self.nonce, self.verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": REDIRECT, "scope": "openid profile email groups roles",
            "state": self.state, "nonce": self.nonce, "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256", **(more or {}),
        }
        url = self.metadata["authorization_endpoint"]
        return f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(query)}"

    def finish(self, location):
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query, keep_blank_values=True)
        if any(len(values) > 1 for values in answer.values()):
            raise Refused("a parameter came twice")
        answer = {name: values[0] for name, values in answer.items()}
        if answer.get("state") != self.state:
            raise Refused("state")
        announced = self.metadata.get("authorization_response_iss_parameter_supported")
        if answer.get("iss", None if announced else self.issuer) != self.issuer:
            raise Refused(f"iss is {answer.get('iss')!r}")
        if "error" in answer:
            raise (Fault if answer["error"] in ("server_error", "temporarily_unavailable") else Refused)("error " + answer["error"])
        if not answer.get("code"):
            raise Refused("no code")
        return self.redeem(answer["code"])

    def redeem(self, code):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier}
        tokens = self.token(form)
        _, claims = self.verify(member(tokens, "id_token"))
        self.judge(claims, tokens["access_token"])
        info = self.userinfo(tokens["access_token"]) if self.metadata.get("userinfo_endpoint") else {}
        if info and member(info, "sub") != claims["sub"]:
            raise Fault("userinfo is about somebody else")
        return tokens, claims, {**claims, **info}

    def token(self, form):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if self.way == "basic":
            pair = ":".join(urllib.parse.quote_plus(part) for part in (self.client_id, self.secret))
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form = {**form, "client_id": self.client_id, **({"client_secret": self.secret} if self.way == "post" else {})}
        status, got, data = request(self.metadata["token_endpoint"], "POST", headers, urllib.parse.urlencode(form))
        if got.get_content_type() != "application/json":
            raise Fault(f"content type {got.get_content_type()}")
        if status == 400 and parse(data).get("error") == "invalid_grant":
            raise Refused("invalid_grant")
        if status != 200:
            raise Fault(f"status {status}")
        tokens = parse(data)
        if member(tokens, "token_type").lower() != "bearer" or not re.fullmatch(r"[!-~]+", member(tokens, "access_token")):
            raise Fault("access token")
        return tokens

    def judge(self, claims, access_token):
        now = time.time()
        if member(claims, "iss") != self.issuer:
            raise Fault("iss")
        if not 0 < len(member(claims, "sub")) <= 255 or not claims["sub"].isprintable():
            raise Fault("sub")
        if claims.get("aud") not in (self.client_id, [self.client_id]):
            raise Fault("aud")
        if claims.get("azp", self.client_id) != self.client_id:
            raise Fault("azp")
        if claims.get("nonce") != self.nonce:
            raise Fault("nonce")
        if not now - 60 < member(claims, "exp", (int, float)) < now + 1e9:
            raise Fault("exp")
        if not now - 3600 < member(claims, "iat", (int, float)) < now + 60 or claims.get("nbf", 0) > now + 60:
            raise Fault("iat or nbf")
        half = b64(hashlib.sha256(access_token.encode()).digest()[:16])
        if claims.get("at_hash", half) != half:
            raise Fault("at_hash")

    def userinfo(self, access_token):
        return get_json(self.metadata["userinfo_endpoint"], headers={"authorization": "Bearer " + access_token})

    def judge_logout(self, token):
        """Whether a logout token may end a session."""
        header, claims = self.verify(token)
        now = time.time()
        event = claims.get("events")
        if header.get("typ", "logout+jwt") != "logout+jwt" or not isinstance(event, dict):
            raise Fault("typ or events")
        if not isinstance(event.get("http://schemas.openid.net/event/backchannel-logout"), dict):
            raise Fault("another event")
        if claims.get("iss") != self.issuer or claims.get("aud") not in (self.client_id, [self.client_id]):
            raise Fault("iss or aud")
        if not member(claims, "jti") or "nonce" in claims or not (claims.get("sub") or claims.get("sid")):
            raise Fault("jti, nonce, sub or sid")
        if not now - 60 < member(claims, "exp", int) or not now - 300 < member(claims, "iat", int) < now + 60:
            raise Fault("exp or iat")
        return claims
