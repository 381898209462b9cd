#!/usr/bin/env python3
"""Builds the database of a Django site as it looks after fifteen years of upgrades.

    make_site.py OUT_DIR [--users 60] [--seed 1] [--database URL] [--custom-user] [--cheap]

Django itself makes the tables (its migrations and those of django-guardian) and most of the
password hashes; what today's Django can no longer write is built from its older releases'
formats. Beside the database, OUT_DIR/site.sqlite3 unless URL says another (sqlite:///…,
postgres://…, mysql://…; must be empty), come

    expected.json           everyone with a password: what a login has to answer, and the
                            permissions that Django computes
    expected_objects.json   every permission on a single object

The same seed gives the same site, byte for byte in what matters. --cheap takes the lowest cost
that each scheme allows, so that a test may log everybody in.
"""

import argparse
import base64
import ctypes
import datetime
import hashlib
import json
import pathlib
import random
import unicodedata

import common

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--users", type=int, default=60)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--database")
parser.add_argument("--custom-user", action="store_true")
parser.add_argument("--cheap", action="store_true")
parser.add_argument("--name", default="site", help="the files' name: NAME.sqlite3")
args = parser.parse_args()

out = pathlib.Path(args.out)
out.mkdir(parents=True, exist_ok=True)
if args.database:
    url = args.database
else:
    file = out / f"{args.name}.sqlite3"
    file.unlink(missing_ok=True)
    url = f"sqlite:///{file.resolve()}"
common.configure({"default": common.database(url)}, custom_user=args.custom_user)

from django.contrib.auth import get_user_model, hashers  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from guardian.models import GroupObjectPermission, UserObjectPermission  # noqa: E402

User = get_user_model()
rng = random.Random(args.seed)
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

# What Django wrote by default, from 1.4 to 5.2.
ROUNDS = [10_000, 12_000, 20_000, 24_000, 36_000, 150_000, 260_000, 600_000, 1_000_000]


def salt(length=22):
    return "".join(rng.choice(ALPHABET) for _ in range(length))


def rounds():
    return rng.choice(ROUNDS[:2] if args.cheap else ROUNDS)


def bcrypt_salt():
    cost = 4 if args.cheap else 12
    # 128 bits in 22 characters leave the last one four choices.
    characters = "./" + ALPHABET
    text = "".join(rng.choice(characters) for _ in range(21)) + rng.choice(".Oeu")
    return f"$2b${cost:02}${text}".encode()


def argon2(password, argon_type):
    from argon2.low_level import Type, hash_secret

    memory, passes, lanes = (512, 2, 2) if args.cheap or argon_type == "i" else (102_400, 2, 8)
    encoded = hash_secret(
        password.encode(),
        salt().encode(),
        time_cost=passes,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=16 if argon_type == "i" else 32,
        type=Type.I if argon_type == "i" else Type.ID,
    )
    return "argon2" + encoded.decode()


def pbkdf2_wrapped_sha1(password):
    """Old SHA-1 hashes wrapped by PBKDF2, as Django's documentation shows sites how to."""
    text, count = salt(12), rounds()
    inner = hashlib.sha1((text + password).encode()).hexdigest()
    digest = hashlib.pbkdf2_hmac("sha256", inner.encode(), text.encode(), count)
    return f"pbkdf2_wrapped_sha1${count}${text}${base64.b64encode(digest).decode()}"


def des_crypt(password):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    hashed = library.crypt(password.encode(), salt(2).encode())
    return f"crypt$${hashed.decode()}"


def salted_sha1(password):
    text = salt(12)
    return f"sha1${text}${hashlib.sha1((text + password).encode()).hexdigest()}"


def hexdigest(name, password):
    return hashlib.new(name, password.encode()).hexdigest()


# Kind -> how its hash is made, and how many of a hundred users have it. The second block is
# what current Django refuses to write.
KINDS = {
    "pbkdf2_sha256": (40, lambda p: hashers.PBKDF2PasswordHasher().encode(p, salt(), rounds())),
    "pbkdf2_sha1": (5, lambda p: hashers.PBKDF2SHA1PasswordHasher().encode(p, salt(), rounds())),
    "argon2": (8, lambda p: argon2(p, "id")),
    "bcrypt_sha256": (8, lambda p: hashers.BCryptSHA256PasswordHasher().encode(p, bcrypt_salt())),
    "bcrypt": (4, lambda p: hashers.BCryptPasswordHasher().encode(p, bcrypt_salt())),
    "scrypt": (4, lambda p: hashers.ScryptPasswordHasher().encode(
        p, salt(), n=2**10 if args.cheap else None)),
    "md5": (3, lambda p: hashers.MD5PasswordHasher().encode(p, salt())),
    "unusable": (6, lambda p: "!" + salt(40)),
    "empty": (2, lambda p: ""),

    "argon2i": (3, lambda p: argon2(p, "i")),
    "sha1": (4, salted_sha1),
    "unsalted_md5": (2, lambda p: hexdigest("md5", p)),
    "unsalted_md5_marked": (1, lambda p: "md5$$" + hexdigest("md5", p)),
    "unsalted_sha1": (2, lambda p: "sha1$$" + hexdigest("sha1", p)),
    "crypt": (2, des_crypt),
    "pbkdf2_wrapped_sha1": (3, pbkdf2_wrapped_sha1),
}
LOST = list(KINDS)[list(KINDS).index("argon2i"):]
NO_PASSWORD = ("unusable", "empty")

PASSWORDS = [
    "seven quiet reactors {}",
    "Geheimnis-größer-als-{}",
    "сто одиннадцать нейтронов {}",
    "  two blanks before, one after {} ",
    "🛰️ orbits the {} 🌍",
    "tab\tand \"quotes\" and \\{}\\",
    "パスワード{}番",
    "Tr0ub4dor&{}",
]
FIRST = """Agnès Björk Ciarán Darya Émile Frida Gökhan Hana Iñaki Jürgen Kateřina Łukasz Maëlle Niamh
    Ömer Pía Raúl Saoirse Tomáš Úna Виктор Ольга Λυδία Wiebke""".split()
LAST = """Ångström Böhm Çetin D'Arcy Eğe Fontaine Gómez Håkansson Iversen Jiménez Köhler Lefèvre
    Muñoz Nowak Ødegård Pérez Řezníček Sjöberg Tóth Ünal Vørre Wójcik Соколова""".split()
NAMES = ["{f}.{l}", "{f}{i}@example.net", "{f} {l} {i}", "{l}_{i}", "{f}-🔭-{i}", "оператор{i}",
         "{f}+{l}{i}", "u{i}"]
MODELS = [
    ("hazard", "calculation", "add change delete view share abort"),
    ("hazard", "output", "view download"),
    ("reef", "survey", "view edit admin"),
    ("reef", "annotation", "add view delete"),
    ("beamtime", "visit", "view schedule"),
    ("compute", "container", "run stop view"),
]
taken = set()
START = datetime.datetime(2011, 3, 1, tzinfo=datetime.timezone.utc)


def make_permissions():
    made = []
    for app, model, verbs in MODELS:
        kind, _ = ContentType.objects.get_or_create(app_label=app, model=model)
        for verb in verbs.split():
            made.append(Permission.objects.get_or_create(
                content_type=kind, codename=f"{verb}_{model}",
                defaults={"name": f"Can {verb} {model}"})[0])
    return made


def make_groups(permissions):
    groups = []
    for number in range(max(5, args.users // 20)):
        what = rng.choice(["Strahlrohr", "proposal", "reef team", "лаборатория", "hazard"])
        group = Group.objects.create(name=f"{what} {1200 + number}")
        group.permissions.set(rng.sample(permissions, rng.randint(1, 5)))
        groups.append(group)
    return groups


def make_user(number, kind):
    """One user, and the password that they type."""
    first, last = rng.choice(FIRST), rng.choice(LAST)
    name = NAMES[number % len(NAMES)].format(f=first, l=last, i=number)
    if name.casefold() in taken:
        name = f"{name}{number}"
    taken.add(name.casefold())
    password = PASSWORDS[rng.randrange(len(PASSWORDS))].format(number)
    if number % 11 == 5:
        # Typed on a keyboard that composes: each umlaut is two characters, in the hash too.
        password = unicodedata.normalize("NFD", f"Zürich–Malmö {number} größe")
    if kind == "bcrypt" and number % 3 == 0:
        # The longest that plain bcrypt looks at.
        password = f"{number:03}" + "x" * 69
    user = User(
        username=name,
        first_name=first,
        last_name=last,
        # Some sites never asked for an address.
        email="" if number % 13 == 7 else f"Person{number}@Example.ORG",
        # Whoever shows a kind for the first time can log in.
        is_active=number < len(KINDS) or rng.random() > 0.1,
        is_staff=rng.random() < 0.08,
        is_superuser=rng.random() < 0.03,
        date_joined=START + datetime.timedelta(hours=rng.randrange(100_000)),
        last_login=rng.choice(
            [None, START + datetime.timedelta(seconds=rng.randrange(100_000 * 3600))]),
        password=KINDS[kind][1](password),
    )
    if args.custom_user:
        user.orcid = f"0000-0002-{rng.randrange(10_000):04}-{rng.randrange(10_000):04}"
    user.save()
    return user, password


def kind_of(number):
    """Every kind once, then as common as on real sites."""
    kinds = list(KINDS)
    if number < len(kinds):
        return kinds[number]
    return rng.choices(kinds, [weight for weight, _ in KINDS.values()])[0]


def give_objects(permissions, users, groups):
    given = []
    for _ in range(max(12, args.users // 3)):
        permission = rng.choice(permissions)
        kind = permission.content_type
        if not args.custom_user and rng.random() < 0.2:
            # An object whose table is here too: guardian's own kind of row.
            kind = ContentType.objects.get_for_model(Group)
            permission = Permission.objects.get(content_type=kind, codename="change_group")
            pk = str(rng.choice(groups).pk)
        elif kind.model == "container":
            pk = f"{rng.getrandbits(128):032x}"
        else:
            pk = str(rng.randint(1, 999))
        fields = {"permission": permission, "content_type": kind, "object_pk": pk}
        if rng.random() < 0.6:
            user = rng.choice(users)
            row, to = UserObjectPermission(user=user, **fields), f"user:{user.username}"
        else:
            group = rng.choice(groups)
            row, to = GroupObjectPermission(group=group, **fields), f"group:{group.name}"
        what = {
            "to": to,
            "permission": f"{kind.app_label}.{permission.codename}",
            "object": f"{kind.app_label}.{kind.model}:{pk}",
        }
        if what not in given:
            # Not by save(), which wants the object's model: the apps are not part of this site.
            type(row).objects.bulk_create([row])
            given.append(what)
    return sorted(given, key=lambda row: (row["to"], row["permission"], row["object"]))


def expectation(user, password, kind):
    user = User.objects.get(pk=user.pk)
    if kind not in LOST:
        assert hashers.check_password(password, user.password), (user.username, kind)
    permissions = user.get_all_permissions() if not user.is_superuser else ()
    return {
        "username": user.username,
        "password": password,
        "hash": kind,
        "login": user.is_active,
        "email": user.email,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": sorted(group.name for group in user.groups.all()),
        "permissions": sorted(permissions),
    }


def write(name, rows):
    (out / name).write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n")


call_command("migrate", verbosity=0)
if User.objects.exclude(username="AnonymousUser").exists():
    raise SystemExit("there are users in this database already")
with transaction.atomic():
    permissions = make_permissions()
    groups = make_groups(permissions)
    made = []
    for number in range(args.users):
        kind = kind_of(number)
        user, password = make_user(number, kind)
        if number == 0:
            User.objects.filter(pk=user.pk).update(is_active=True, is_superuser=True, is_staff=True)
        user.groups.set(rng.sample(groups, rng.randint(0, 3)))
        if rng.random() < 0.3:
            user.user_permissions.set(rng.sample(permissions, rng.randint(1, 3)))
        made.append((user, password, kind))
    objects = give_objects(permissions, [user for user, _, _ in made], groups)
    # guardian's own account came with today's date; the same site should be the same file.
    User.objects.filter(username="AnonymousUser").update(date_joined=START, password="!" + salt(40))

rows = [expectation(*one) for one in made if one[2] not in NO_PASSWORD]
prefix = "" if args.name == "site" else f"{args.name}_"
write(f"{prefix}expected.json", rows)
write(f"{prefix}expected_objects.json", objects)
if connection.vendor == "sqlite":
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET applied = '2011-03-01 00:00:00'")
        cursor.execute("VACUUM")
print(f"{User.objects.count()} users, {Group.objects.count()} groups, {len(objects)} permissions on "
      f"objects; {sum(row['login'] for row in rows)} may log in")
