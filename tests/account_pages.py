"""What tests do at the account pages: sign up, sign in, and see where it leads."""

from typing import Any

from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD

NEWCOMER = {"email": "Nora@Example.org", "password1": "perfectly-fine-9", "date_of_birth": "1990-05-01"}


def sign_up(client: Client, **changed: str) -> Any:
    return client.post(reverse("account_signup"), NEWCOMER | changed)


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": password} | more)


def target(response: Any) -> str:
    """Where a redirect leads."""
    assert response.status_code == 302
    return str(response.url)
