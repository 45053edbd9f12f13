"""Mails about an account: whose they are, what they lead to, and that they read as Parley's and not as a library's."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.template import Engine
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.account_pages import NEWCOMER, sign_in, sign_up, target
from tests.people import alice

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "horse of another colour"


def read(mailoutbox: list[Any]) -> tuple[str, str, str]:
    """To whom the latest mail went, its subject and its words."""
    mail = mailoutbox[-1]
    assert mail.subject.startswith("Parley: ") and "Parley" in mail.body
    # The host that was asked, and a user's or account's "email" in allauth's words, are no business of the reader.
    said = re.sub(r"http\S+", "", mail.body)
    assert "testserver" not in said and not re.search("thank you for using|registered|signup", said, re.IGNORECASE)
    return mail.to[0], mail.subject, mail.body


def link(body: str) -> str:
    found = re.search(r"http://testserver(/\S+)", body)
    assert found, body
    return found[1]


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(client: Client, mailoutbox: list[Any]) -> None:
    person = alice()
    client.post(reverse("account_reset_password"), {"email": person.email})
    to, subject, body = read(mailoutbox)
    assert (to, subject) == (person.email, "Parley: Set a new password")
    form = client.get(link(body), follow=True)
    address = form.redirect_chain[-1][0]
    client.post(address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert "This link is no longer valid" in Client().get(link(body), follow=True).content.decode()
    sign_in(client, person.email)
    assert "_auth_user_id" not in client.session
    sign_in(client, person.email, NEW_PASSWORD)
    assert client.session["_auth_user_id"] == str(person.pk)


def test_an_address_without_an_account_hears_so_and_the_page_tells_nobody(
    client: Client, mailoutbox: list[Any]
) -> None:
    known = client.post(reverse("account_reset_password"), {"email": alice().email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})
    assert known["location"] == unknown["location"]
    to, subject, body = read(mailoutbox)
    assert (to, subject) == ("nobody@example.org", "Parley: There is no account with this address")
    assert link(body) == reverse("account_signup")


def test_a_changed_password_is_told_to_its_owner(client: Client, mailoutbox: list[Any]) -> None:
    sign_up(client)
    change = {"oldpassword": NEWCOMER["password1"], "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(reverse("account_change_password"), change)
    to, subject, body = read(mailoutbox)
    assert (to, subject) == ("nora@example.org", "Parley: Your password was changed")
    assert "127.0.0.1" in body and "UTC" in body


def test_an_account_without_a_password_confirms_by_a_mailed_code_and_sets_one(
    client: Client, mailoutbox: list[Any]
) -> None:
    person = alice()
    person.set_unusable_password()
    person.save()
    client.force_login(person)
    new = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    ask, confirm = reverse("account_request_reauthentication_code"), reverse("account_confirm_reauthentication_code")
    page = client.post(reverse("account_set_password"), new)
    assert target(page).startswith(ask)
    client.post(ask, {"recipient": person.email})
    to, subject, body = read(mailoutbox)
    assert (to, subject) == (person.email, "Parley: Your code")
    code = re.search(r"^[0-9A-Z]+(-[0-9A-Z]+)*$", body, re.MULTILINE)
    assert code, body
    wrong = client.post(confirm, {"code": "nonsense"})
    assert wrong.status_code == 200 and not User.objects.get().has_usable_password()
    client.post(confirm, {"code": code[0]})
    client.post(reverse("account_set_password"), new)
    assert User.objects.get().check_password(NEW_PASSWORD)


def test_a_code_goes_to_no_address_but_ones_own(client: Client, mailoutbox: list[Any]) -> None:
    client.force_login(alice())
    page = client.post(reverse("account_request_reauthentication_code"), {"recipient": "mallory@example.org"})
    assert page.status_code == 200 and not mailoutbox


def change_address(client: Client, email: str) -> str:
    """Ask for another address, with the password, and read what the page then says."""
    client.post(reverse("account_reauthenticate"), {"password": NEWCOMER["password1"]})
    client.post(reverse("account_email"), {"action_add": "", "email": email})
    return client.get(reverse("account_email")).content.decode()


@pytest.mark.parametrize("verification", ["none", "mandatory"])
def test_an_address_changes_once_the_new_one_is_confirmed(
    client: Client, settings: Any, mailoutbox: list[Any], verification: str
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    sign_up(client)
    if verification == "mandatory":
        client.post(link(read(mailoutbox)[2]))
    page = change_address(client, "new@example.org")
    assert "Your address is <strong>nora@example.org</strong>" in page
    assert "<strong>new@example.org</strong> is not confirmed yet" in page
    to, subject, body = read(mailoutbox)
    assert (to, subject) == ("new@example.org", "Parley: Please confirm your e-mail address")
    client.post(link(body))
    assert "Your address is <strong>new@example.org</strong>" in client.get(reverse("account_email")).content.decode()
    assert User.objects.get().email == EmailAddress.objects.get(verified=True).email == "new@example.org"


def test_until_it_is_confirmed_the_earlier_address_serves_and_others_change_theirs_too(mailoutbox: list[Any]) -> None:
    for name in ("nora", "olga"):
        client = Client()
        sign_up(client, email=f"{name}@example.org")
        change_address(client, f"{name}@exmaple.org")
        page = change_address(client, f"{name}@example.net")  # the first was a slip
        assert "exmaple" not in page and f"<strong>{name}@example.net</strong> is not confirmed yet" in page
        assert target(sign_in(Client(), f"{name}@example.org", NEWCOMER["password1"])) == "/"
        client.post(reverse("account_email"), {"action_remove": "", "email": f"{name}@example.net"})
        assert list(EmailAddress.objects.filter(user__email=f"{name}@example.org").values_list("email")) == [
            (f"{name}@example.org",)
        ]


@pytest.mark.usefixtures("with_mail")
def test_signing_up_again_is_told_to_the_owner_of_the_address_alone(client: Client, mailoutbox: list[Any]) -> None:
    sign_up(client, email=alice().email)
    to, subject, body = read(mailoutbox)
    assert (to, subject) == (alice().email, "Parley: You have an account already")
    assert link(body) == reverse("account_reset_password")
    sign_up(Client())
    assert read(mailoutbox)[:2] == ("nora@example.org", "Parley: Please confirm your e-mail address")


@pytest.fixture
def with_mail(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


def test_every_mail_of_the_library_is_in_our_words() -> None:
    """What it may send with the settings as they are; signing in by a mailed code is not offered, confirming is."""
    kinds = {
        "login_code",
        *("account_already_exists", "email_changed", "email_confirm", "email_confirmation", "email_deleted"),
        *("password_changed", "password_reset", "password_reset_key", "password_set", "unknown_account"),
    }
    for name in sorted(kinds):
        for part in ("subject", "message"):
            origin = Engine.get_default().get_template(f"account/email/{name}_{part}.txt").origin.name
            assert "site-packages" not in origin, origin
