"""What staff sees and does of people and workspaces, at what cost, and what it cannot do."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User, Workspace
from accounts.staff import StaffAdmin
from tests.people import alice, bob, stella, works

pytestmark = pytest.mark.django_db


def test_staff_lists_people_and_workspaces_at_the_same_cost_however_many(client: Client) -> None:
    client.force_login(stella())
    pages = [reverse("admin:accounts_user_changelist"), reverse("admin:accounts_workspace_changelist")]
    for page in pages:
        client.get(page)  # fills what Django keeps per process
    counts = []
    for number in (1, 30):
        while User.objects.count() < number + 1:
            User(email=f"{uuid4()}@parley.example").open()
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_one_workspace_is_shown_at_the_same_cost_however_many_members(client: Client) -> None:
    client.force_login(stella())
    page = reverse("admin:accounts_workspace_change", args=[works().pk])
    client.get(page)  # fills what Django keeps per process
    counts = []
    for number in (1, 30):
        while works().memberships.count() < number:
            newcomer = User(email=f"{uuid4()}@parley.example")
            newcomer.open()
            Membership.objects.create(user=newcomer, workspace=works())
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "query", ["alice", "\x00", "x" * 10_000, "'", "%", "\\", "6f1c4a52-6f0f-4c39-9f3c-0d5b0a1f2e3d"]
)
def test_staff_searches_for_anything(client: Client, query: str) -> None:
    client.force_login(stella())
    for model in ("user", "workspace"):
        assert client.get(reverse(f"admin:accounts_{model}_changelist"), {"q": query}).status_code < 400


def test_staff_finds_a_person_by_public_id(client: Client) -> None:
    client.force_login(stella())
    found = client.get(reverse("admin:accounts_user_changelist"), {"q": str(alice().public_id)})
    assert [person.email for person in found.context["cl"].queryset] == [alice().email]


def test_staff_sees_no_password_and_makes_nobody_from_nothing(client: Client) -> None:
    client.force_login(stella())
    page = client.get(reverse("admin:accounts_user_change", args=[alice().pk]))
    assert page.status_code == 200
    assert alice().password not in page.content.decode()
    assert "password" not in page.context["adminform"].form.fields
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403
    assert client.post(reverse("admin:accounts_user_delete", args=[alice().pk])).status_code == 403


def test_staff_that_is_no_superuser_cannot_become_one(client: Client) -> None:
    clerk = bob(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(clerk)
    profile = {"display_name": "Bobby", "locale": "en", "time_zone": "UTC", "is_active": "on"}
    page = reverse("admin:accounts_user_change", args=[clerk.pk])
    assert client.post(page, profile | {"is_superuser": "on", "is_staff": "on"}).status_code == 302
    clerk.refresh_from_db()
    assert (clerk.display_name, clerk.is_superuser) == ("Bobby", False)


def workspace_form(members: list[dict[str, Any]], existing: int = 0, **values: Any) -> dict[str, Any]:
    form = {"memberships-TOTAL_FORMS": len(members), "memberships-INITIAL_FORMS": existing} | values
    for index, row in enumerate(members):
        form |= {f"memberships-{index}-{name}": value for name, value in row.items()}
    return form


def test_staff_opens_a_work_workspace_that_has_an_owner(client: Client) -> None:
    client.force_login(stella())
    add = reverse("admin:accounts_workspace_add")
    member, owner = ({"user": alice().pk, "role": role} for role in ("member", "owner"))
    assert client.post(add, workspace_form([member], name="Acme", overrides="{}")).status_code == 200
    assert client.post(add, workspace_form([owner], name="Acme", overrides="")).status_code == 302
    acme = Workspace.objects.get(name="Acme")
    assert (acme.kind, acme.plan, acme.overrides) == ("work", "work", {})


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        ({"plan": "pro", "overrides": '{"messages": 99}'}, True),
        ({"plan": "pro", "overrides": "null"}, True),
        ({"plan": "work", "overrides": "{}"}, False),
        ({"plan": "pro", "overrides": '{"messages": "lots"}'}, False),
        ({"plan": "pro", "overrides": "{"}, False),
        ({"plan": "pro", "overrides": "[" * 10_000}, False),
        ({"plan": "\x00", "overrides": '{"models": ["\\u0000"]}'}, False),
    ],
)
def test_staff_changes_a_plan_and_its_overrides(client: Client, values: dict[str, str], accepted: bool) -> None:
    client.force_login(stella())
    page = reverse("admin:accounts_workspace_change", args=[alice().personal_workspace.pk])
    response = client.post(page, workspace_form([], name="Personal") | values)
    assert response.status_code == (302 if accepted else 200)
    assert (Workspace.objects.get(personal_to=alice()).plan == "pro") is accepted


def test_staff_asks_of_people_and_conversations_only_what_the_filters_ask(client: Client) -> None:
    """No hidden field can be read letter by letter from which rows remain."""
    client.force_login(stella())
    for model, page in admin.site._registry.items():
        assert isinstance(page, StaffAdmin), model
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        filters = {str(one) for one in page.list_filter}
        for field in model._meta.get_fields():
            for lookup in ("startswith", "istartswith", "regex", "contains", "gte"):
                if not (lookup == "gte" and field.name in {*filters, page.date_hierarchy}):
                    refused = client.get(address, {f"{field.name}__{lookup}": "1"})
                    assert refused.status_code == 400, (model, field.name, lookup)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("accounts_user", "password__startswith=md5"),
        ("accounts_user", "password=x"),
        ("accounts_user", "personal_workspace__personal_to__password__startswith=md5"),
        ("accounts_workspace", "members__password__startswith=md5"),
        ("chat_conversation", "title__istartswith=a"),
        ("chat_conversation", "messages__text__contains=a"),
        ("chat_conversation", "author__password__startswith=md5"),
        ("privacy_standing", "user__password__startswith=md5"),
        ("auth_group", "user__password__startswith=md5"),
    ],
)
def test_staff_reads_no_secret_by_an_address(client: Client, model: str, query: str) -> None:
    client.force_login(stella())
    assert client.get(f"{reverse(f'admin:{model}_changelist')}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("accounts_user", "is_active__exact=1"),
        ("accounts_user", "personal_workspace__plan__exact=pro"),
        ("accounts_user", "joined_at__gte=2026-01-01+00:00:00%2B00:00&joined_at__lt=2027-01-01+00:00:00%2B00:00"),
        ("accounts_user", "joined_at__year=2026&joined_at__month=11&joined_at__day=2"),
        ("accounts_workspace", "kind__exact=work"),
        ("chat_conversation", "workspace__kind__exact=work&tag_class__exact=kept"),
        ("privacy_event", "act__exact=terms_accepted&at__year=2026"),
        ("privacy_standing", "keep_history__exact=1"),
    ],
)
def test_the_filters_themselves_work(client: Client, model: str, query: str) -> None:
    client.force_login(stella())
    assert client.get(f"{reverse(f'admin:{model}_changelist')}?{query}").status_code == 200


def test_staff_alone_sets_a_date_of_birth_after_a_refusal(client: Client) -> None:
    person = alice(date_of_birth=None)
    person.refuse_age()
    client.force_login(stella())
    form = {"locale": "en", "time_zone": "UTC", "is_active": "on", "date_of_birth": "1990-01-01"}
    for inline in ("memberships", "emailaddress_set"):
        form |= {f"{inline}-{count}_FORMS": "0" for count in ("TOTAL", "INITIAL")}
    page = reverse("admin:accounts_user_change", args=[person.pk])
    assert "refused for their age" in client.get(page).content.decode().lower()
    assert client.post(page, form).status_code == 302
    person.refresh_from_db()
    assert str(person.date_of_birth) == "1990-01-01"
