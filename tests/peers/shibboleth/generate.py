"""Writes every configuration file of the peer into its folder.

    python3 generate.py DIR NAME=VALUE...

The values fill the @NAME@ of the templates; users.tsv gives the people.
"""

import itertools
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ATTRIBUTES = ["EAAHash", "EAAKey", "uid", "mail", "groups", "displayName"]

# Names by which somebody may try to be somebody: word by word, to be joined in every way.
IDENTITY = [
    ["EAA", "Hash"], ["EAA", "Key"], ["uid"], ["mail"], ["groups"], ["display", "Name"],
    ["Remote", "User"], ["Remote", "Groups"], ["Remote", "Email"], ["Remote", "Name"],
    ["Forwarded", "User"], ["Forwarded", "Email"], ["Forwarded", "Groups"],
    ["Shib", "Session", "ID"], ["Shib", "Identity", "Provider"],
]  # fmt: skip
PREFIXES = [None, "X", "HTTP", "AJP", "Shib"]
# What a proxy says about the client, not the client about itself.
FORWARDED = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server",
             "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Method",
             "X-Original-URI", "X-Original-Method", "X-Original-URL", "X-Rewrite-URL", "X-Real-IP"]  # fmt: skip


def spellings(joints):
    """Every spelling of the identity names, each once (header names ignore case)."""
    found = {}
    for prefix, words in itertools.product(PREFIXES, IDENTITY):
        parts = ([prefix] if prefix else []) + words
        for chosen in itertools.product(joints, repeat=len(parts) - 1):
            name = parts[0] + "".join(j + p for j, p in zip(chosen, parts[1:]))
            found.setdefault(name.lower(), name)
    return list(found.values())


def people():
    """(name, {attribute: [values]}) of users.tsv."""
    for line in (HERE / "users.tsv").read_text("utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        name, *columns = line.split("\t")
        yield name, {a: c.split("|") for a, c in zip(ATTRIBUTES, columns, strict=True) if c != "-"}


def joined(values):
    """Several values in one header, as mod_shib writes them."""
    return ";".join(v.replace(";", "\\;") for v in values)


def quoted(text, also=""):
    """Between double quotes, for Apache and nginx."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    for old in also:
        text = text.replace(old, old * 2)
    return f'"{text}"'


def php(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def main():
    folder = pathlib.Path(sys.argv[1])
    values = dict(pair.split("=", 1) for pair in sys.argv[2:])
    values["D"] = str(folder)
    values["ACS"] = ", ".join(
        f"['index' => {i}, 'Binding' => 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',"
        f" 'Location' => 'http://127.0.0.1:{values[port]}/Shibboleth.sso/SAML2/POST']"
        for i, port in enumerate(["SP_PORT", "SP_LOGIN_PORT", "SP_HEADERS_PORT"], 1)
    )

    def fill(template, target, **more):
        text = (HERE / "templates" / template).read_text("utf-8")
        for name, value in {**values, **more}.items():
            text = text.replace(f"@{name}@", value)
        write(target, text)

    def write(target, text):
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_text(text, "utf-8")

    # service provider
    fill("shibboleth2.xml", "sp/shibboleth2.xml")
    fill("attribute-map.xml", "sp/attribute-map.xml")
    fill("shibd.logger", "sp/shibd.logger", LOG="shibd")
    fill("shibd.logger", "sp/native.logger", LOG="mod_shib")
    for name in ["sp", "plain"]:
        fill("apache-common.conf", f"apache-common-{name}.conf", NAME=name)
        fill(f"apache-{name}.conf", f"apache-{name}.conf")
    fill("apache-sso.conf", "apache-sso.conf")
    fill("apache-pass.conf", "apache-pass.conf")
    secret = f"RequestHeader set {values['SECRET_HEADER']} {quoted(values['SECRET'], '%')}\n"
    strip = "".join(f"RequestHeader unset {n} early\n" for n in [*spellings(["", "-", "_", "."]), *FORWARDED])
    write("apache-strip.conf", strip + secret)
    write("apache-attributes.conf", "".join(f'RequestHeader set {a} "%{{{a}}}e" env={a}\n' for a in ATTRIBUTES))

    # people for the proxies without SAML
    apache, maps = "", {a: "" for a in ATTRIBUTES}
    for name, attributes in people():
        apache += f'<If "%{{HTTP_COOKIE}} =~ /(^|; ?)peer_user={name}(;|$)/">\n'
        for attribute, several in attributes.items():
            apache += f"    RequestHeader set {attribute} {quoted(joined(several), '%')}\n"
            maps[attribute] += f"    {name} {quoted(joined(several))};\n"
        apache += "</If>\n"
    # Two headers of the same name, as only a broken proxy sends them.
    hashes = dict(people())
    apache += '<If "%{HTTP_COOKIE} =~ /(^|; ?)peer_user=twice(;|$)/">\n'
    apache += "".join(f"    RequestHeader add EAAHash {quoted(hashes[n]['EAAHash'][0])}\n" for n in ["alice", "bob"])
    apache += "    RequestHeader set uid alice\n</If>\n"
    write("apache-people.conf", apache)
    write("nginx-people.conf", "".join(
        f"map $cookie_peer_user $person_{a.lower()} {{\n    default \"\";\n{rows}}}\n" for a, rows in maps.items()))

    # An empty value means to nginx: do not send this header. So every name is either set or gone.
    own = {a.lower() for a in ATTRIBUTES}
    nginx = "".join(f"proxy_set_header {a} $person_{a.lower()};\n" for a in ATTRIBUTES)
    nginx += "".join(f'proxy_set_header {n} "";\n' for n in spellings(["", "-"]) if n.lower() not in own)
    told = {"X-Forwarded-For": "$remote_addr", "X-Forwarded-Host": "$http_host", "X-Forwarded-Proto": "http"}
    nginx += "".join(f"proxy_set_header {n} {told.get(n, chr(34) * 2)};\n" for n in FORWARDED)
    nginx += f"proxy_set_header {values['SECRET_HEADER']} {quoted(values['SECRET'])};\nproxy_set_header Host $http_host;\n"
    write("nginx-strip.conf", nginx)
    fill("nginx.conf", "nginx.conf")

    # identity provider
    fill("idp-config.php", "idp/config/config.php")
    fill("saml20-idp-hosted.php", "idp/metadata/saml20-idp-hosted.php")
    fill("saml20-sp-remote.php", "idp/metadata/saml20-sp-remote.php")
    rows = "".join(
        f"        {php(name + ':' + values['PASSWORD'])} => ["
        + ", ".join(f"{php(a)} => [{', '.join(map(php, several))}]" for a, several in attributes.items())
        + "],\n"
        for name, attributes in people()
    )
    write("idp/config/authsources.php",
          f"<?php\n$config = [\n    'admin' => ['core:AdminPassword'],\n    'people' => [\n        'exampleauth:UserPass',\n{rows}    ],\n];\n")
    for name in ["data", "tmp", "sessions", "cert"]:
        (folder / "idp" / name).mkdir(parents=True, exist_ok=True)
    write("idp/php.ini", f"session.save_path={folder}/idp/sessions\nopcache.enable_cli=0\nlog_errors=1\ndisplay_errors=0\n")


if __name__ == "__main__":
    main()
