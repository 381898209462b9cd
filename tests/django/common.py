"""What the makers of Django sites in this folder share: settings without a project, addresses."""

import os
import pathlib
import sys
from urllib.parse import unquote, urlsplit

HERE = pathlib.Path(__file__).resolve().parent

HASHERS = [
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "Argon2PasswordHasher",
    "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher",
    "ScryptPasswordHasher",
    "MD5PasswordHasher",
]


def database(url):
    """Django's DATABASES entry for sqlite:///file, postgres://… or mysql://…"""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:").removeprefix("//"),
        }
    entry = {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": parts.port or "",
    }
    if parts.scheme in ("postgres", "postgresql"):
        return {"ENGINE": "django.db.backends.postgresql", **entry}
    if parts.scheme in ("mysql", "mariadb"):
        import pymysql

        pymysql.install_as_MySQLdb()
        # Django asks for the version of mysqlclient, which PyMySQL stands in for.
        sys.modules["MySQLdb"].version_info = (2, 2, 7, "final", 0)
        return {
            "ENGINE": "django.db.backends.mysql",
            **entry,
            "OPTIONS": {"charset": "utf8mb4"},
        }
    sys.exit(f"a database is sqlite:///…, postgres://… or mysql://…, not {parts.scheme}:…")


def url_argument(given, variable):
    """An address from the command line, or from the environment, which other users cannot read."""
    url = given or os.environ.get(variable)
    if not url:
        sys.exit(f"needs the address of a database, as an argument or in {variable}")
    return url


def configure(databases, custom_user=False):
    """Sets Django up for a site with accounts, administration and object permissions."""
    sys.path.insert(0, str(HERE))
    import django
    from django.conf import settings

    apps = [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.admin",
        "guardian",
    ]
    settings.configure(
        SECRET_KEY="for these fixtures only",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES=databases,
        INSTALLED_APPS=(["accounts"] if custom_user else []) + apps,
        AUTH_USER_MODEL="accounts.User" if custom_user else "auth.User",
        AUTHENTICATION_BACKENDS=[
            "django.contrib.auth.backends.ModelBackend",
            "guardian.backends.ObjectPermissionBackend",
        ],
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS],
        SILENCED_SYSTEM_CHECKS=["guardian.W001"],
    )
    django.setup()
