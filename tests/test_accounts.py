"""Who is there: accounts, ages, the account pages and what hostile input does to them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models.functions import Upper
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.age import adulthood, below_minimum, birthday
from accounts.models import User
from accounts.models.workspace import WorkspaceQuerySet
from tests.account_pages import sign_in, sign_up, target
from tests.people import alice, bob

pytestmark = pytest.mark.django_db


def years_ago(years: int, *, days: int = 0) -> str:
    return (birthday(clock.now().date(), -years) + timedelta(days=days)).isoformat()


# --- Sign-up -----------------------------------------------------------------


def test_sign_up_opens_an_account_with_its_personal_workspace_and_signs_in(client: Client) -> None:
    response = sign_up(client, display_name="Nora", region="AT", time_zone="Europe/Vienna")

    nora = User.objects.get(email="nora@example.org")
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(nora.pk)
    assert (nora.display_name, nora.region, nora.time_zone, nora.date_of_birth) == (
        "Nora",
        "AT",
        "Europe/Vienna",
        date(1990, 5, 1),
    )
    assert nora.personal_workspace.plan == "free"
    assert [m.role for m in nora.memberships.all()] == ["owner"]
    assert EmailAddress.objects.get(user=nora).email == "nora@example.org"


@pytest.mark.parametrize("broken", [(WorkspaceQuerySet, "open_personal"), (EmailAddress, "save")])
def test_sign_up_makes_all_rows_or_none(client: Client, broken: tuple[type, str]) -> None:
    client.raise_request_exception = False
    with patch.object(*broken, side_effect=RuntimeError("the disk is full")):
        assert sign_up(client).status_code == 500

    assert not User.objects.filter(email="nora@example.org").exists()
    assert sign_up(client).status_code == 302


def test_an_address_in_other_case_is_the_same_address(client: Client) -> None:
    person = alice()
    assert "email" in sign_up(client, email="ALICE@parley.EXAMPLE").context["form"].errors
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Alice@Parley.Example", "x")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(email=Upper("email"))  # past the field, straight to the database

    assert User.objects.get(email="aLiCe@parley.example") == person
    assert sign_in(client, "ALICE@Parley.example").status_code == 302


def test_two_sign_ups_at_once_with_one_address_make_one_account(client: Client) -> None:
    with patch("allauth.account.internal.flows.manage_email.assess_unique_email", return_value=True):
        assert sign_up(Client()).status_code == 302
        late = sign_up(client)

    assert late.status_code == 302
    assert "_auth_user_id" not in client.session
    assert User.objects.filter(email="nora@example.org").count() == 1


def test_with_mail_sign_up_tells_nobody_whether_an_address_has_an_account(
    client: Client, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    alice()
    known = sign_up(client, email="alice@parley.example")
    unknown = sign_up(Client(), email="nora@example.org")

    assert target(known) == target(unknown) == "/account/confirm-email/"
    assert [mail.to for mail in mailoutbox] == [["alice@parley.example"], ["nora@example.org"]]
    assert "_auth_user_id" not in client.session


def test_sign_up_needs_no_more_than_address_and_password(client: Client) -> None:
    sign_up(client, date_of_birth="")

    nora = User.objects.get(email="nora@example.org")
    assert nora.adult_since() is None  # unknown age never trains


# --- Age ---------------------------------------------------------------------


@pytest.mark.parametrize(("days", "opens"), [(0, True), (1, False), (-1, True)])
def test_the_minimum_age_is_reached_on_the_birthday(client: Client, settings: Any, days: int, opens: bool) -> None:
    response = sign_up(client, date_of_birth=years_ago(settings.MINIMUM_AGE, days=days))

    assert User.objects.filter(email="nora@example.org").exists() is opens
    assert response.status_code == (302 if opens else 200)
    if not opens:
        assert "aged 18 or older" in response.context["form"].non_field_errors()[0]


def test_another_date_does_not_help_for_a_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(client, date_of_birth=years_ago(12))
    for second_try in ("1990-05-01", ""):
        assert sign_up(client, date_of_birth=second_try).status_code == 200
    assert not User.objects.filter(email="nora@example.org").exists()

    later = clock.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(clock, "_offset", lambda: later - datetime.now(UTC))
    assert sign_up(client).status_code == 302


def test_leap_day_children_come_of_age_on_the_first_of_march_of_a_common_year() -> None:
    born = date(2008, 2, 29)
    assert adulthood(born) == date(2026, 3, 1)
    assert below_minimum(born, date(2026, 2, 28))
    assert not below_minimum(born, date(2026, 3, 1))
    assert birthday(born, 20) == date(2028, 2, 29)


@pytest.mark.parametrize("typo", ["9999-12-31", "0001-01-01", "1790-01-01", "2008-02-30", "yesterday"])
def test_a_date_that_cannot_be_a_birthday_is_a_typo_and_may_be_corrected(client: Client, typo: str) -> None:
    assert "date_of_birth" in sign_up(client, date_of_birth=typo).context["form"].errors
    assert sign_up(client).status_code == 302


def test_no_door_opens_an_account_below_the_minimum_age() -> None:
    with pytest.raises(ValidationError):
        User.objects.create_user("kid@example.org", "x", date_of_birth=date.fromisoformat(years_ago(17)))
    assert not User.objects.filter(email="kid@example.org").exists()


def test_createsuperuser_asks_for_address_and_password_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-fine-one-7")
    call_command("createsuperuser", "--noinput", email="Root@Example.org")
    root = User.objects.get(email="root@example.org")
    assert root.is_staff
    assert root.is_superuser
    assert root.personal_workspace.is_personal
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", "--noinput", email="ROOT@example.org")


# --- The profile -----------------------------------------------------------------


def test_the_profile_is_saved(client: Client) -> None:
    client.force_login(alice())
    profile = {"display_name": "Alice A.", "locale": "en", "time_zone": "Asia/Tokyo", "region": "JP"}
    assert client.post(reverse("accounts:profile"), profile).status_code == 302
    person = alice()
    assert (person.display_name, person.locale, person.time_zone, person.region) == tuple(profile.values())


def test_a_date_of_birth_is_given_once_and_then_stands(client: Client) -> None:
    client.force_login(alice(date_of_birth=None))
    profile = {"locale": "en", "time_zone": "UTC"}
    for given in ("1990-01-01", "1970-01-01", ""):
        client.post(reverse("accounts:profile"), profile | {"date_of_birth": given})
    assert alice().date_of_birth == date(1990, 1, 1)


def test_a_date_below_the_minimum_age_is_remembered_by_the_account_and_not_only_by_the_browser(client: Client) -> None:
    client.force_login(alice(date_of_birth=None))
    profile = {"locale": "en", "time_zone": "UTC"}
    refused = client.post(reverse("accounts:profile"), profile | {"date_of_birth": years_ago(15)})
    assert refused.status_code == 200
    assert "aged 18 or older" in refused.context["form"].non_field_errors()[0]

    elsewhere = Client()
    elsewhere.force_login(alice())
    assert elsewhere.get(reverse("accounts:profile")).context["form"].fields["date_of_birth"].disabled
    assert elsewhere.post(reverse("accounts:profile"), profile | {"date_of_birth": "1990-01-01"}).status_code == 302
    person = alice()
    assert person.date_of_birth is None and person.age_refused_at is not None
    assert person.adult_since() is None


@pytest.mark.parametrize("typo", ["9999-12-31", "1790-01-01", "2008-02-30"])
def test_a_typo_in_the_profile_refuses_nobody(client: Client, typo: str) -> None:
    client.force_login(alice(date_of_birth=None))
    profile = {"locale": "en", "time_zone": "UTC"}
    assert client.post(reverse("accounts:profile"), profile | {"date_of_birth": typo}).status_code == 200
    assert alice().age_refused_at is None
    client.post(reverse("accounts:profile"), profile | {"date_of_birth": "1990-01-01"})
    assert alice().date_of_birth == date(1990, 1, 1)


def test_a_browser_that_was_refused_at_sign_up_refuses_no_account_for_good(client: Client) -> None:
    sign_up(client, date_of_birth=years_ago(12))
    session = client.session["age_refused_until"]
    client.force_login(alice(date_of_birth=None))
    kept = client.session
    kept["age_refused_until"] = session
    kept.save()
    adult = {"locale": "en", "time_zone": "UTC", "date_of_birth": "1990-01-01"}
    assert client.post(reverse("accounts:profile"), adult).status_code == 200
    assert alice().age_refused_at is None and alice().date_of_birth is None


def test_only_languages_that_the_pages_speak_are_offered(client: Client) -> None:
    User.objects.filter(pk=alice(locale="de").pk).update(locale="de")
    client.force_login(alice())
    page = client.get(reverse("accounts:profile"), headers={"accept-language": "de"})
    assert page.headers["Content-Language"] == "en"
    assert [code for code, _ in page.context["form"].fields["locale"].choices] == ["en"]


# --- Hostile input --------------------------------------------------------------

HOSTILE = ["", "\x00", "a\x00b@example.org", "x" * 10_000, "é" * 300, "' OR 1=1 --", "<script>", "😀\u202e", "{}", "[]"]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_input_is_refused_without_an_error_page(client: Client, value: str) -> None:
    fields = [
        "email", "login", "password", "password1", "password2", "oldpassword", "display_name", "date_of_birth",
        "region", "time_zone", "locale", "workspace", "next", "action_add", "action_remove",
    ]  # fmt: skip
    filled = dict.fromkeys(fields, value)
    strangers = ["account_login", "account_signup", "account_reset_password"]
    people = ["account_email", "account_change_password", "account_reauthenticate", "accounts:profile"]
    person = bob()
    for name in strangers:
        assert client.post(reverse(name), filled).status_code < 500, name
        assert client.get(reverse(name), filled).status_code < 500, name
    client.force_login(person)
    for name in people:
        assert client.post(reverse(name), filled).status_code < 500, name
    assert client.post(reverse("accounts:switch"), filled).status_code == 404
    assert client.post(reverse("accounts:profile"), data="[]", content_type="application/json").status_code == 200
    assert client.get("/account/password/reset/key/zz%00-x/").status_code < 500
    assert client.get("/account/confirm-email/abc:def/").status_code < 500


def test_a_session_that_was_tampered_with_does_no_harm(client: Client) -> None:
    client.force_login(alice())
    session = client.session
    session["workspace"] = ["not", "a", "uuid"]
    session.save()
    assert client.get(reverse("accounts:profile")).status_code == 200
