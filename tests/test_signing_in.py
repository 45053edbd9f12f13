"""Signing in, out and back in: the pages of allauth as this product has set them up."""

from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import redis
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.account_pages import NEWCOMER, sign_in, target
from tests.people import PASSWORD, alice, stella

pytestmark = pytest.mark.django_db


def test_signing_in_fails_alike_for_a_wrong_password_and_an_unknown_address(client: Client) -> None:
    alice()
    wrong = sign_in(client, "alice@parley.example", "not this one")
    unknown = sign_in(client, "nobody@parley.example", "not this one")
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert sign_in(client, "alice@parley.example").status_code == 302


def test_guessing_passwords_is_stopped_and_admin_is_no_way_round(client: Client) -> None:
    stella()
    for _ in range(6):
        refused = sign_in(client, "stella@parley.example", "a guess")
    assert "Too many" in str(refused.context["form"].errors)

    admin = client.get("/admin/login/?next=/admin/")
    assert target(admin) == "/account/login/?next=%2Fadmin%2F"


def test_clearing_the_cache_leaves_the_journals_alone(settings: Any) -> None:
    with redis.from_url(settings.REDIS_URL) as valkey:
        name = f"journal-of-a-test-{uuid4()}"
        valkey.set(name, "what was said", ex=60)
        cache.set("attempts", 3)
        cache.clear()
        assert (cache.get("attempts"), valkey.get(name)) == (None, b"what was said")


def test_a_wrong_password_is_hashed_once(client: Client) -> None:
    with patch.object(User, "check_password", return_value=False) as checked:
        sign_in(client, alice().email, "not this one")
    assert checked.call_count == 1


def test_who_was_switched_off_gets_no_session(client: Client) -> None:
    person = alice(is_active=False)
    assert target(sign_in(client, person.email)) == reverse("account_inactive")
    assert "_auth_user_id" not in client.session


def test_with_mail_the_address_is_confirmed_before_the_first_session(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client.post(reverse("account_signup"), NEWCOMER)
    assert "_auth_user_id" not in client.session
    link = next(word for word in mailoutbox[0].body.split() if "/confirm-email/" in word)
    assert client.get(link).status_code == 200
    client.post(link)
    assert client.session["_auth_user_id"] == str(User.objects.get(email="nora@example.org").pk)


def test_signing_out_takes_a_post(client: Client) -> None:
    client.force_login(alice())
    assert client.get(reverse("account_logout")).status_code == 200
    assert "_auth_user_id" in client.session
    client.post(reverse("account_logout"))
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil", "\x00/x"],
)
def test_next_never_leads_elsewhere(client: Client, elsewhere: str) -> None:
    response = sign_in(client, alice().email, next=elsewhere)
    assert target(response) == reverse("chat:home")

    switched = client.post(
        reverse("accounts:switch"), {"workspace": alice().personal_workspace.public_id, "next": elsewhere}
    )
    assert target(switched) == reverse("chat:home")


def test_next_leads_on_within_the_house(client: Client) -> None:
    assert target(sign_in(client, alice().email, next="/account/profile/")) == "/account/profile/"


def test_next_does_not_lead_to_another_allowed_host(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    assert target(sign_in(client, alice().email, next="http://other.example/")) == reverse("chat:home")


def test_a_changed_password_keeps_this_session_and_ends_the_others(client: Client) -> None:
    elsewhere = Client()
    for session in (client, elsewhere):
        session.force_login(alice())
    new = {"oldpassword": PASSWORD, "password1": "another-fine-1", "password2": "another-fine-1"}
    assert client.post(reverse("account_change_password"), new).status_code == 302

    assert client.get(reverse("accounts:profile")).status_code == 200
    assert elsewhere.get(reverse("accounts:profile")).status_code == 302


def test_a_forgotten_password_is_reset_by_mail(client: Client, mailoutbox: list[Any]) -> None:
    alice()
    known = client.post(reverse("account_reset_password"), {"email": "Alice@parley.example"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@parley.example"})
    assert target(known) == target(unknown)

    link = next(word for word in mailoutbox[0].body.split() if "/password/reset/key/" in word)
    form = client.get(link, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": "another-fine-1", "password2": "another-fine-1"})
    assert sign_in(client, "alice@parley.example", "another-fine-1").status_code == 302


def test_a_new_address_counts_once_it_is_confirmed(client: Client, mailoutbox: list[Any]) -> None:
    person = alice()
    sign_in(client, person.email)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("account_email"), {"action_add": "", "email": "Al@Example.org"})
    person.refresh_from_db()
    assert person.email == "alice@parley.example"

    link = next(word for mail in mailoutbox for word in mail.body.split() if "/confirm-email/" in word)
    client.post(link)
    person.refresh_from_db()
    assert person.email == "al@example.org"
    assert list(EmailAddress.objects.filter(user=person).values_list("email", "verified")) == [("al@example.org", True)]
    assert sign_in(Client(), "al@example.org").status_code == 302


def test_strangers_reach_the_entrance_and_nothing_behind_it(client: Client) -> None:
    entrance = ["login", "signup", "reset_password", "reset_password_done", "reset_password_from_key_done", "inactive"]
    for name in [*entrance, "email_verification_sent"]:
        assert client.get(reverse(f"account_{name}")).status_code == 200, name
    for path in ["account_email", "account_change_password", "account_reauthenticate", "accounts:profile"]:
        assert target(client.get(reverse(path))).startswith(reverse("account_login")), path
    assert target(client.post(reverse("accounts:switch"))).startswith(reverse("account_login"))


def test_a_mail_that_cannot_be_sent_is_said_and_breaks_nothing(client: Client, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    with patch("django.core.mail.message.EmailMessage.send", side_effect=OSError("no route to host")):
        response = client.post(reverse("account_signup"), NEWCOMER, follow=True)
    assert response.status_code == 200
    assert "could not be sent" in str([str(message) for message in response.context["messages"]])
