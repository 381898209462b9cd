"""The smallest Django site that asks what a session check asks: am I logged in, and may I?

    python bench_site.py prepare DATABASE SESSIONS   makes the database, prints a session key per line
    python bench_site.py people DATABASE USERS GROUPS  makes one to import, prints how long Django took
                                                (DATABASE may be a postgres:// address; then it is
                                                written to a schema of its own, which goes again)
    python bench_site.py verify HASH PASSWORD        prints how long one verification takes
    python bench_site.py mail PORT MAILS             sends mails, prints how long that takes
    gunicorn bench_site:application             serves it (the database is in $BENCH_DATABASE)
"""

import os
import sys
import time
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

# Where Django's tables lie on PostgreSQL, beside those of others.
SCHEMA = "bench_django"


def database():
    name = (
        sys.argv[2]
        if sys.argv[1:2] in (["prepare"], ["people"])
        else os.environ.get("BENCH_DATABASE", ":memory:")
    )
    address = urlsplit(name)
    if address.scheme not in ("postgres", "postgresql"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.path.lstrip("/"),
        "USER": unquote(address.username or ""),
        "PASSWORD": unquote(address.password or ""),
        "HOST": address.hostname or "",
        "PORT": address.port or "",
        "OPTIONS": {"options": f"-c search_path={SCHEMA}"},
    }


settings.configure(
    DEBUG=False,
    SECRET_KEY="only for measurements on this machine",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={"default": database()},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


def check(request):
    user = request.user
    if not user.is_authenticated:
        return HttpResponse(status=401)
    if not user.has_perm("auth.view_user"):
        return HttpResponse(status=403)
    response = HttpResponse()
    response["X-User"] = user.get_username()
    return response


urlpatterns = [path("ping", lambda request: HttpResponse()), path("check", check)]


def prepare(sessions):
    """As many users as are asked for, each with a session and, through a group, the permission."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        group = Group.objects.create(name="viewers")
        group.permissions.add(Permission.objects.get(codename="view_user", content_type__app_label="auth"))
        for number in range(sessions):
            user = User.objects.create(username=f"user{number}", password="!")
            user.groups.add(group)
            session = SessionStore()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.create()
            print(session.session_key)


def people(users, groups_each):
    """So many users, each in so many of a hundred groups, by bulk_create in one transaction."""
    from django.contrib.auth.models import Group, Permission, User
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils import timezone

    is_server = connection.vendor == "postgresql"
    if is_server:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    call_command("migrate", verbosity=0)
    # Of a password that nobody uses; what is measured does not hash.
    stored = "pbkdf2_sha256$1000000$yYTXllheDLBVdo7pnZztfl$k1Nt9tSp2wq8VkGQx9eMoIgVMzAKIhXcK7nEz4+qj2A="
    joined = timezone.now()
    began = time.perf_counter()
    with transaction.atomic():
        accounts = User.objects.bulk_create(
            [
                User(
                    username=f"user{number}",
                    email=f"user{number}@example.org",
                    first_name="Ada",
                    last_name="Lovelace",
                    password=stored,
                    date_joined=joined,
                )
                for number in range(users)
            ],
            batch_size=1000,
        )
        groups = Group.objects.bulk_create([Group(name=f"group{number}") for number in range(100)])
        for group in groups:
            group.permissions.add(*Permission.objects.all())
        members = User.groups.through
        members.objects.bulk_create(
            [
                members(user_id=user.pk, group_id=groups[(number + 7 * step) % 100].pk)
                for number, user in enumerate(accounts)
                for step in range(groups_each)
            ],
            batch_size=1000,
        )
    print(time.perf_counter() - began)
    if is_server:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def verify(stored, password):
    """The best of three."""
    from django.contrib.auth.hashers import check_password

    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        if not check_password(password, stored):
            sys.exit("the password is not the one")
        best = min(best, time.perf_counter() - began)
    print(best)


def mail(port, mails):
    """So many mails as ours are, on one connection that is open already."""
    from django.core.mail import EmailMultiAlternatives, get_connection

    link = "https://hall.example.org/password/reset/uJ8mJvHfXnqS2wZ0Yw7yC4kD1tR5bN9aE6gL3iP8oQs"
    text = (
        "Hello {0},\n\nsomebody, most likely you, asked for a new password at Hall.\n"
        f"To set one, open this page:\n\n{link}\n\nThe link works once, until 21 November 2026,"
        " 12:00 UTC.\n\nIf it was not you, do nothing: your password stays as it is.\n\n-- \nHall\n"
        "https://hall.example.org\n"
    )
    html = (
        '<!doctype html><html lang="en"><body><p>Hello {0},</p><p>somebody, most likely you, asked for a'
        f' new password at Hall. To set one, open this page:</p><p><a href="{link}">{link}</a></p>'
        "<p>The link works once, until 21 November 2026, 12:00 UTC.</p><p>If it was not you, do nothing:"
        " your password stays as it is.</p></body></html>"
    )

    def message(number):
        name = f"user{number}"
        message = EmailMultiAlternatives(
            "[Hall] Set a new password",
            text.format(name),
            "Hall <hall@example.org>",
            [f"{name}@example.org"],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(html.format(name), "text/html")
        return message

    connection = get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port)
    connection.open()
    messages = [message(number) for number in range(mails)]
    connection.send_messages([message(0)])
    began = time.perf_counter()
    sent = connection.send_messages(messages)
    took = time.perf_counter() - began
    if sent != mails:
        sys.exit(f"{sent} were sent")
    connection.close()
    print(took)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", _, sessions]:
            prepare(int(sessions))
        case ["people", _, users, groups_each]:
            people(int(users), int(groups_each))
        case ["verify", stored, password]:
            verify(stored, password)
        case ["mail", port, mails]:
            mail(int(port), int(mails))
        case _:
            sys.exit(__doc__)
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
