"""The smallest Django site that asks what a session check asks: am I logged in, and may I?

    python site.py prepare DATABASE SESSIONS   makes the database, prints a session key per line
    gunicorn site:application                  serves it (the database is in $BENCH_DATABASE)
"""

import os
import sys

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

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
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sys.argv[2] if sys.argv[1:2] == ["prepare"] else os.environ.get("BENCH_DATABASE", ":memory:"),
        }
    },
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


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] != "prepare":
        sys.exit(__doc__)
    prepare(int(sys.argv[3]))
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
