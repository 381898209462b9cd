"""The site's own accounts: Django's, and one thing more about a person."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person."""

    orcid = models.CharField(max_length=19, blank=True, default="")
