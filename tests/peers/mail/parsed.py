"""What a mail library makes of a message: Python's `email`, with every defect it finds."""

import email
import email.policy
import html.parser
import re

ADDRESSES = ("from", "sender", "reply-to", "to", "cc", "bcc")
LINK = re.compile(r"https?://[^\s<>\"']+")


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []
        self.text = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src", "action") and value]

    def handle_data(self, data):
        self.text.append(data)


def content(part):
    """(text, what is wrong with it)"""
    wrong = []
    try:
        text = part.get_content()
    except (LookupError, UnicodeError, ValueError) as error:
        return None, [f"{type(error).__name__}: {error}"]
    if "\ufffd" in text:
        wrong.append("bytes that the declared charset does not have")
    return text, wrong


def addresses(header):
    return [{"name": one.display_name, "address": one.addr_spec} for one in getattr(header, "addresses", ())]


def lines(raw):
    """What a transport may dislike about the bytes, whatever they mean."""
    rest = raw.replace(b"\r\n", b"")
    return {
        "bare_lf": rest.count(b"\n"), "bare_cr": rest.count(b"\r"), "nul": raw.count(b"\0"),
        "eight_bit": any(byte > 127 for byte in raw),
        "longest_line": max(map(len, re.split(rb"\r\n|\n|\r", raw))),
    }


def facts(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default.clone(utf8=True))
    defects = []
    answer = {"headers": [[name, str(value)] for name, value in message.items()], "size": len(raw)}
    for name, value in message.items():
        defects += [f"{name}: {type(defect).__name__}" for defect in getattr(value, "defects", ())]
    for name in ADDRESSES:
        answer[name.replace("-", "_")] = [one for header in message.get_all(name, []) for one in addresses(header)]
    for name in ("subject", "date", "message-id", "return-path", "delivered-to", "x-original-to"):
        answer[name.replace("-", "_")] = None if message[name] is None else str(message[name])
    answer["return_path"] = answer["return_path"] and answer["return_path"].strip("<>")
    answer["text"] = answer["html"] = None
    answer["parts"], links = [], []
    for part in message.walk():
        defects += [f"{part.get_content_type()}: {type(defect).__name__}" for defect in part.defects]
        about = {
            "type": part.get_content_type(), "charset": part.get_content_charset(),
            "encoding": str(part.get("content-transfer-encoding", "7bit")).lower(),
            "disposition": part.get_content_disposition(), "filename": part.get_filename(),
        }
        answer["parts"].append(about)
        if part.is_multipart() or part.get_content_maintype() != "text":
            continue
        text, wrong = content(part)
        defects += [f"{about['type']}: {one}" for one in wrong]
        kind = {"text/plain": "text", "text/html": "html"}.get(about["type"])
        if text is None or kind is None or answer[kind] is not None:
            continue
        answer[kind] = text
        if kind == "html":
            found = Links()
            found.feed(text)
            links += found.found
        else:
            links += LINK.findall(text)
    once = ("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id")
    defects += [f"{name}: more than once" for name in once if len(message.get_all(name, [])) > 1]
    defects += [f"{name}: missing" for name in ("from", "date", "message-id") if message[name] is None]
    return answer | {"links": list(dict.fromkeys(links)), "defects": defects} | lines(raw)


def received_by(answer):
    """The recipients: who it was delivered to, or who is named when no server wrote that down."""
    if answer["delivered_to"]:
        return [answer["delivered_to"].strip("<>")]
    return [one["address"] for name in ("to", "cc", "bcc") for one in answer[name]]
