#!/usr/bin/env python3
"""Copies a Django site from SQLite to another database, by Django's own means.

    copy_site.py SOURCE.sqlite3 [--to URL] [--replace]

Makes the database that URL names (postgres://…, mysql://…; default: $DJANGO_COPY_URL, which other
users of the machine cannot read), makes Django's tables there by Django's migrations and copies
every row of every table that the models know. --replace drops a database of that name first.
"""

import argparse
import pathlib
import sqlite3
from urllib.parse import urlsplit

import common

parser = argparse.ArgumentParser()
parser.add_argument("source")
parser.add_argument("--to")
parser.add_argument("--replace", action="store_true")
args = parser.parse_args()
url = common.url_argument(args.to, "DJANGO_COPY_URL")
source = pathlib.Path(args.source).resolve(strict=True)
target = common.database(url)
if "sqlite3" in target["ENGINE"]:
    raise SystemExit("the target is postgres://… or mysql://…; a SQLite file is copied by cp")


def make_database(entry):
    """An empty database with the target's name."""
    name = entry["NAME"]
    if not name.replace("_", "").isalnum():
        raise SystemExit(f"a database's name is letters, digits and _, not {name}")
    server = {"host": entry["HOST"], "port": int(entry["PORT"] or 0), "user": entry["USER"],
              "password": entry["PASSWORD"]}
    if "postgresql" in entry["ENGINE"]:
        import psycopg

        link = psycopg.connect(**server, dbname="postgres", autocommit=True)
        create, exists = f"CREATE DATABASE {name}", "SELECT 1 FROM pg_database WHERE datname = %s"
    else:
        import pymysql

        link = pymysql.connect(**server)
        create = f"CREATE DATABASE {name} CHARACTER SET utf8mb4"
        exists = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
    with link, link.cursor() as cursor:
        if args.replace:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(exists, (name,))
        if cursor.fetchone():
            raise SystemExit(f"there is a database {name} already (--replace drops it)")
        cursor.execute(create)


# Read-only, and leaving no files beside it.
source_uri = f"file:{source}?mode=ro&immutable=1"
tables = {name for (name,) in sqlite3.connect(source_uri, uri=True).execute(
    "SELECT name FROM sqlite_master WHERE type = 'table'")}
make_database(target)
common.configure(
    {
        "default": target,
        "source": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": source_uri,
            "OPTIONS": {"uri": True},
        },
    },
    custom_user="accounts_user" in tables,
)

from django.apps import apps  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402

call_command("migrate", verbosity=0)
models = [
    model for model in apps.get_models(include_auto_created=True)
    if model._meta.managed and not model._meta.proxy and model._meta.db_table in tables
]
copied = 0
with transaction.atomic(), connection.constraint_checks_disabled():
    # What migrate itself filled in (content types, permissions) has other keys in the source.
    for model in reversed(models):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
    for model in models:
        rows = list(model._base_manager.using("source").order_by("pk"))
        model._base_manager.bulk_create(rows, batch_size=500)
        copied += len(rows)
    connection.check_constraints()
    for statement in connection.ops.sequence_reset_sql(no_style(), models):
        with connection.cursor() as cursor:
            cursor.execute(statement)
for model in models:
    before = model._base_manager.using("source").count()
    after = model._base_manager.count()
    assert before == after, f"{model._meta.db_table}: {before} rows there, {after} here"
print(f"{copied} rows in {len(models)} tables copied to {urlsplit(url).scheme} {target['NAME']}")
