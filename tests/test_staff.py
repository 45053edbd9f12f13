"""What staff sees and does of people and workspaces, at what cost, and what it cannot do."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User, Workspace
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
