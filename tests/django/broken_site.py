#!/usr/bin/env python3
"""Builds the database of a Django site that has seen restores, hand edits and lax databases.

    broken_site.py OUT_DIR

Writes OUT_DIR/broken.sqlite3: tables by Django's own migrations, their constraints taken away as
an old MySQL would not have had them, and in them sound rows among rows that no import can take
as they are. OUT_DIR/expected_report.json says what has to be reported:

    entries   {table, key, subject, reason, action}, one for each broken row or value
    users     the login names that have to be imported all the same
    groups    likewise
"""

import argparse
import json
import pathlib
import sqlite3

import common

parser = argparse.ArgumentParser()
parser.add_argument("out")
args = parser.parse_args()
out = pathlib.Path(args.out)
out.mkdir(parents=True, exist_ok=True)
file = out / "broken.sqlite3"
file.unlink(missing_ok=True)
common.configure({"default": common.database(f"sqlite:///{file.resolve()}")})

from django.contrib.auth import hashers  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

call_command("migrate", verbosity=0)
ContentType.objects.bulk_create([
    ContentType(id=50, app_label="reef", model="survey"),
    ContentType(id=51, app_label="reef", model="image"),
    ContentType(id=52, app_label="vestibule", model="user"),
])
connection.close()

JOINED = "2014-05-06 07:08:09.101112"
HASH = hashers.PBKDF2PasswordHasher().encode("still known here", "saltsaltsalt", 10_000)
BEL, RLO, ZWSP = "\a", "\u202e", "\u200b"
GONE = 9999
NO_UTF8 = b"na\xefve"

db = sqlite3.connect(file, isolation_level=None)
entries, imported_users, imported_groups = [], [], []


def loosen(table):
    """Takes every constraint but the primary key away from a table."""
    db.execute("PRAGMA foreign_keys = OFF")
    # Or else SQLite would have the other tables refer to the old one by its new name.
    db.execute("PRAGMA legacy_alter_table = ON")
    columns = [(row[1], row[2], row[5]) for row in db.execute(f"PRAGMA table_info({table})")]
    body = ", ".join(
        f'"{name}" {kind}{" PRIMARY KEY AUTOINCREMENT" if key else ""}'
        for name, kind, key in columns)
    db.execute(f"ALTER TABLE {table} RENAME TO {table}_strict")
    db.execute(f"CREATE TABLE {table} ({body})")
    db.execute(f"INSERT INTO {table} SELECT * FROM {table}_strict")
    db.execute(f"DROP TABLE {table}_strict")


def insert(table, row, reason=None, action="left_out", subject=None):
    """Adds a row, and what must be reported of it."""
    columns = ", ".join(f'"{name}"' for name in row)
    # Text that is not UTF-8 goes in as bytes and is told to be text.
    marks = ", ".join(
        "CAST(? AS TEXT)" if value is NO_UTF8 else "?" for value in row.values())
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))
    if reason:
        entries.append({
            "table": table,
            "key": str(row["id"]),
            "subject": subject,
            "reason": reason,
            "action": action,
        })


def user(pk, reason=None, action="left_out", **given):
    """A user; broken where `given` says so."""
    row = {
        "id": pk,
        "username": f"user{pk}",
        "email": f"user{pk}@example.org",
        "password": HASH,
        "first_name": "Some",
        "last_name": "Body",
        "is_active": 1,
        "is_staff": 0,
        "is_superuser": 0,
        "date_joined": JOINED,
        "last_login": None,
        **given,
    }
    name = row["username"] if isinstance(row["username"], str) else None
    insert("auth_user", row, reason, action, subject=name)
    if reason is None or action != "left_out":
        imported_users.append(name)


def group(pk, name, reason=None):
    insert("auth_group", {"id": pk, "name": name}, reason,
           subject=name if isinstance(name, str) else None)
    if reason is None:
        imported_groups.append(name)


def permission(pk, content_type, codename, reason=None, action="left_out", name="Can do it"):
    row = {"id": pk, "content_type_id": content_type, "codename": codename, "name": name}
    insert("auth_permission", row, reason, action)


for table in (
    "auth_user", "auth_group", "auth_permission", "auth_user_groups", "auth_group_permissions",
    "auth_user_user_permissions", "guardian_userobjectpermission",
    "guardian_groupobjectpermission",
):
    loosen(table)
imported_users += [name for (name,) in db.execute("SELECT username FROM auth_user")]

# --- users: sound ones first, so that they have their names
user(101, username="ada", is_superuser=1, is_staff=1)
user(102, username="grace", email="grace@example.org")
user(103, username="Наталья 🔬", last_login="2020-02-29 23:59:59")
user(104, username=12345, email="number@example.org")
imported_users[-1] = "12345"
user(105, first_name=None, last_name=None, email=None)
user(106, is_staff="true", email="")

# names
user(111, "name_collides", username="Ada")
user(112, "name_collides", username="grace")
user(113, "name_collides", username="ｇｒａｃｅ")
user(114, "invalid_name", username=f"bell{BEL}")
user(115, "invalid_name", username=f"ada{RLO}nimda")
user(116, "invalid_name", username=f"li{ZWSP}nus")
user(117, "invalid_name", username="trailing ")
user(118, "invalid_name", username="two\nlines")
user(119, "missing", username=None)
user(120, "missing", username="")
user(121, "unreadable", username=b"\x00\x01\xff")
user(122, "unreadable", username=NO_UTF8)
user(123, "too_long", username="n" * 256)
user(124, username="n" * 255)

# mail addresses
user(131, "email_collides", "imported_without", email="GRACE@Example.org")
user(132, "email_collides", "imported_without", email="grace@example.org")
user(133, "email_invalid", "imported_without", email="none of your business")
user(134, "email_invalid", "imported_without", email="a@b@example.org")
user(135, "email_invalid", "imported_without", email=f"a{ZWSP}b@example.org")
user(136, "too_long", "imported_without", email="e" * 300 + "@example.org")
user(137, "email_taken", "imported_without", email="harriet@example.org")
user(138, username="harriet@example.org", email="harriet.new@example.org")
user(139, "unreadable", "imported_without", email=NO_UTF8)

# passwords
user(141, "missing", "needs_reset", password=None)
user(142, "password_unknown", "needs_reset", password="sha3_512$pepper$c2hhMw==")
user(143, "password_unknown", "needs_reset", password="letmein")
user(144, "too_long", "needs_reset", password="pbkdf2_sha256$10000$s$" + "A" * 400)
user(145, "password_unknown", "needs_reset", password="pbkdf2_sha256$many$salt$ZGlnZXN0")
user(146, "password_unknown", "needs_reset", password="md5$salt$notahexdigest")
user(147, "unreadable", "needs_reset", password=NO_UTF8)
user(148, password="!")
user(149, password="")

# flags, times and the rest
user(151, "missing", is_active=None)
user(152, "unreadable", is_active="maybe")
user(153, "unreadable", is_superuser=7)
user(154, "unreadable", is_staff=NO_UTF8)
user(155, "unreadable", "imported_without", date_joined="yesterday")
user(156, "unreadable", "imported_without", last_login="0000-00-00 00:00:00")
user(157, "invalid_name", "imported_without", first_name=f"Es{BEL}cape")
user(158, "too_long", "imported_without", last_name="L" * 200)

# --- groups
group(201, "Beamline 1")
group(202, "beamline 1", "name_collides")
group(203, None, "missing")
group(204, "", "missing")
group(205, f"hid{ZWSP}den", "invalid_name")
group(206, "g" * 151, "too_long")
group(207, "Лаборатория ☢️")
group(208, NO_UTF8, "unreadable")

# --- permissions
permission(301, 50, "view_survey")
permission(302, 51, "view_survey", "permission_merged", "merged")
permission(303, GONE, "orphan", "dangling")
permission(304, 50, "has blanks", "invalid_name")
permission(305, 50, None, "missing")
permission(306, 50, "c" * 250, "too_long")
permission(307, 52, "change_user", "permission_reserved")
permission(308, 51, "edit_image", "invalid_name", "imported_without", name=f"Can {RLO}tide")
permission(309, 51, "view_image", name=None)
permission(310, None, "nowhere", "missing")

# --- who is in which group
MEMBERS = [
    (401, 101, 201, None),
    (402, 102, 201, None),
    (403, 102, 201, None),  # twice, which is no loss
    (404, GONE, 201, "dangling"),
    (405, 102, GONE, "dangling"),
    (406, 111, 201, "refers_to_left_out"),
    (407, 102, 202, "refers_to_left_out"),
    (408, None, 201, "missing"),
    (409, 103, "beamline", "dangling"),
]
for pk, who, where, reason in MEMBERS:
    insert("auth_user_groups", {"id": pk, "user_id": who, "group_id": where}, reason)

# --- permissions as a whole
for pk, who, what, reason in [
    (501, 102, 301, None),
    (502, 102, GONE, "dangling"),
    (503, GONE, 301, "dangling"),
    (504, 102, 303, "refers_to_left_out"),
    (505, 112, 301, "refers_to_left_out"),
    (506, 102, None, "missing"),
]:
    insert("auth_user_user_permissions", {"id": pk, "user_id": who, "permission_id": what}, reason)
for pk, who, what, reason in [
    (601, 201, 308, None),
    (602, GONE, 308, "dangling"),
    (603, 201, 307, "refers_to_left_out"),
    (604, 206, 308, "refers_to_left_out"),
    (605, 201, 302, None),  # the merged one: as good as 301
]:
    insert("auth_group_permissions", {"id": pk, "group_id": who, "permission_id": what}, reason)

# --- permissions on objects
for pk, who, what, kind, object_pk, reason in [
    (701, 102, 301, 50, "17", None),
    (702, 102, 301, 50, "Große Fläche 3", None),
    (703, 102, 301, GONE, "17", "dangling"),  # the model's app was taken out of the site
    (704, GONE, 301, 50, "17", "dangling"),
    (705, 102, GONE, 50, "17", "dangling"),
    (706, 102, 301, 51, "17", "dangling"),  # a permission of another model
    (707, 102, 301, 50, None, "missing"),
    (708, 102, 301, 50, "", "invalid_object"),
    (709, 102, 301, 50, f"1{BEL}7", "invalid_object"),
    (710, 102, 301, 50, "9" * 300, "invalid_object"),
    (711, 102, 304, 50, "17", "refers_to_left_out"),
    (712, 115, 301, 50, "17", "refers_to_left_out"),
    (713, 102, 301, 50, "/base/../secret", "invalid_object"),
    (714, 102, 301, 50, NO_UTF8, "unreadable"),
]:
    row = {"id": pk, "user_id": who, "permission_id": what, "content_type_id": kind,
           "object_pk": object_pk}
    insert("guardian_userobjectpermission", row, reason)
for pk, who, what, kind, object_pk, reason in [
    (801, 201, 308, 51, "5", None),
    (802, 201, 308, GONE, "5", "dangling"),
    (803, GONE, 308, 51, "5", "dangling"),
    (804, 205, 308, 51, "5", "refers_to_left_out"),
]:
    row = {"id": pk, "group_id": who, "permission_id": what, "content_type_id": kind,
           "object_pk": object_pk}
    insert("guardian_groupobjectpermission", row, reason)

# The same site is the same file: nothing in it has today's date or today's chance.
db.execute("UPDATE django_migrations SET applied = ?", [JOINED])
db.execute("UPDATE auth_user SET date_joined = ?, password = '!' WHERE username = 'AnonymousUser'",
           [JOINED])
db.execute("VACUUM")
db.close()
report = {"entries": entries, "users": imported_users, "groups": imported_groups}
(out / "expected_report.json").write_text(json.dumps(report, ensure_ascii=False, indent=0) + "\n")
print(f"{len(entries)} broken rows or values; {len(imported_users)} users and "
      f"{len(imported_groups)} groups to be imported all the same")
