"""Where people work: plans and what they grant, the switcher, the middleware, and the staff's view of all that."""

from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from accounts.access import workspace_for
from accounts.context import workspaces
from accounts.errors import NotFound
from accounts.middleware import PersonalLocaleMiddleware, WorkspaceMiddleware
from accounts.models import Membership, User, Workspace
from accounts.places import languages, regions, time_zones
from accounts.plans import GRANTS, Grant, Plan, grant_of
from tests.people import alice, bob, charlie, max_, stella, wendy, will, works

pytestmark = pytest.mark.django_db

BAD_OVERRIDES = [
    {"messages": -1},
    {"messages": 0},
    {"messages": "many"},
    {"messages": True},
    {"messages": 2**40},
    {"messages": None},
    {"attachments": "yes"},
    {"context_tokens": 1.5},
    {"models": "smollm2"},
    {"models": [1]},
    {"price": "0 €"},
    {"window": 1},
    {"nonsense": 1},
    [],
    "x",
]


# --- Plans -------------------------------------------------------------------


def test_every_plan_grants_something_and_paying_never_grants_less() -> None:
    assert set(GRANTS) == set(Plan)
    free, pro, most = (GRANTS[plan] for plan in (Plan.FREE, Plan.PRO, Plan.MAX))
    assert free.messages < pro.messages < most.messages
    assert free.context_tokens < pro.context_tokens < most.context_tokens
    assert all(grant.window == timedelta(hours=5) and grant.price for grant in GRANTS.values())


def test_people_are_on_the_plans_they_should_be() -> None:
    plans = [person.personal_workspace.plan for person in (alice(), bob(), max_(), wendy(), will(), charlie())]
    assert plans == ["free", "pro", "max", "free", "free", "free"]
    assert works().plan == "work"


def test_an_override_changes_what_it_names_and_nothing_else() -> None:
    mine = alice().personal_workspace
    mine.overrides = {"messages": 500, "models": ["tiny"], "attachments": True}
    mine.full_clean()
    free = GRANTS[Plan.FREE]
    assert mine.grant == Grant(500, free.window, ("tiny",), free.context_tokens, True, free.price)
    assert mine.grant.includes("tiny")
    assert not mine.grant.includes("large")
    assert free.includes("large")


@pytest.mark.parametrize("overrides", BAD_OVERRIDES)
def test_a_bad_override_is_refused(overrides: Any) -> None:
    mine = alice().personal_workspace
    mine.overrides = overrides
    with pytest.raises(ValidationError):
        mine.full_clean()


def test_what_a_plan_does_not_name_cannot_slip_in_from_the_database() -> None:
    assert grant_of(Plan.FREE, {"window": 1, "price": "0", "messages": 7}).price == GRANTS[Plan.FREE].price
    assert {field.name for field in fields(Grant)} >= {"messages", "models", "context_tokens", "attachments", "price"}


@pytest.mark.parametrize(
    "changed", [{"plan": "work"}, {"kind": "work"}, {"personal_to": None}, {"plan": "gold"}, {"kind": "other"}]
)
def test_the_database_refuses_a_kind_that_does_not_fit_its_plan(changed: dict[str, Any]) -> None:
    mine = alice().personal_workspace
    with pytest.raises(IntegrityError), transaction.atomic():
        Workspace.objects.filter(pk=mine.pk).update(**changed)


# --- Access --------------------------------------------------------------------


def test_a_workspace_is_open_to_its_people_and_unknown_to_all_others() -> None:
    for person in (wendy(), will()):
        assert workspace_for(person, works().public_id) == works()
        assert workspace_for(person, str(works().public_id)) == works()
    refused: list[tuple[User | AnonymousUser, Any]] = [
        (charlie(), works().public_id),
        (stella(), alice().personal_workspace.public_id),
        (wendy(), will().personal_workspace.public_id),
        (AnonymousUser(), works().public_id),
        (alice(), uuid4()),
        (alice(), "not a uuid"),
        (alice(), "\x00"),
        (alice(), None),
    ]
    for stranger, public_id in refused:
        with pytest.raises(NotFound):
            workspace_for(stranger, public_id)


def test_leaving_or_being_switched_off_closes_the_door() -> None:
    person, theirs = will(), works()
    theirs.memberships.filter(user=person).delete()
    with pytest.raises(NotFound):
        workspace_for(person, theirs.public_id)
    person.is_active = False
    with pytest.raises(NotFound):
        workspace_for(person, person.personal_workspace.public_id)


def test_a_membership_never_opens_somebody_elses_personal_workspace() -> None:
    theirs = alice().personal_workspace
    intruder = Membership(user=bob(), workspace=theirs)
    with pytest.raises(ValidationError):
        intruder.full_clean()
    intruder.save()
    with pytest.raises(NotFound):
        workspace_for(bob(), theirs.public_id)


# --- The switcher and the middleware ---------------------------------------------


def current(client: Client) -> Workspace:
    request = RequestFactory().get("/")
    request.session, request.user = client.session, User.objects.get(pk=client.session["_auth_user_id"])
    WorkspaceMiddleware(lambda _: HttpResponse())(request)
    return request.workspace  # type: ignore[attr-defined, no-any-return]


def test_the_switcher_goes_where_one_belongs_and_refuses_foreign_workspaces(client: Client) -> None:
    client.force_login(will())
    assert current(client) == will().personal_workspace
    assert client.post(reverse("accounts:switch"), {"workspace": works().public_id}).status_code == 302
    assert current(client) == works()

    for foreign in (alice().personal_workspace.public_id, uuid4(), "nonsense", ""):
        assert client.post(reverse("accounts:switch"), {"workspace": foreign}).status_code == 404
    assert client.get(reverse("accounts:switch")).status_code == 405
    assert current(client) == works()


def test_who_leaves_a_workspace_is_back_in_the_personal_one(client: Client) -> None:
    client.force_login(will())
    client.post(reverse("accounts:switch"), {"workspace": works().public_id})
    assert current(client) == works()
    works().memberships.filter(user=will()).delete()
    assert current(client) == will().personal_workspace


def request_of(person: User | AnonymousUser, **headers: str) -> Any:
    request = RequestFactory().get("/", headers=headers)
    request.user, request.session = person, {}  # type: ignore[assignment]
    return request


def test_workspaces_cost_no_query_unused_and_one_however_many_there_are() -> None:
    person = wendy()
    for number in (1, 30):
        for _ in range(number - Workspace.objects.open_to(person).count()):
            Workspace.objects.open_work(owner=person, name="One more")
        request = request_of(person)
        with CaptureQueriesContext(
            connection,
        ) as unused:
            WorkspaceMiddleware(lambda _: HttpResponse())(request)
            context = workspaces(request)
        with CaptureQueriesContext(connection) as used:
            listed = Template("{% for w in workspaces %}{{ w.name }} {{ w.plan }}\n{% endfor %}").render(
                Context(context)
            )
            assert request.workspace == person.personal_workspace
        assert (len(unused), len(used)) == (0, 1)
        assert listed.startswith("Personal free")


def test_strangers_are_in_no_workspace() -> None:
    request = request_of(AnonymousUser())
    WorkspaceMiddleware(lambda _: HttpResponse())(request)
    assert request.workspace is None
    assert workspaces(request) == {"workspaces": []}


@pytest.mark.parametrize(
    ("profile", "browser", "served"),
    [
        ({"locale": "de", "time_zone": "Asia/Tokyo"}, "en", ("de", "Asia/Tokyo")),
        ({"locale": "xx", "time_zone": "Mars/Olympus"}, "de", ("de", "UTC")),
        ({"locale": "\x00", "time_zone": "../../etc/passwd"}, "en", ("en", "UTC")),
        (None, "de-AT,de;q=0.9", ("de", "UTC")),
        (None, "tlh", ("en", "UTC")),
    ],
)
def test_people_are_served_in_their_language_and_time_zone(
    profile: dict[str, str] | None, browser: str, served: tuple[str, str], settings: Any
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # once there are translations
    seen: list[tuple[str, str]] = []

    def view(request: Any) -> HttpResponse:
        seen.append((translation.get_language() or "", timezone.get_current_timezone_name()))
        return HttpResponse()

    person = User(**profile) if profile else AnonymousUser()
    response = PersonalLocaleMiddleware(view)(request_of(person, accept_language=browser))

    assert seen == [served]
    assert response.headers["Content-Language"] == served[0]
    assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "UTC")


def test_places_are_those_of_the_world() -> None:
    assert ("AT", "Austria") in regions()
    assert len({code for code, _ in regions()}) == len(regions()) > 240
    assert {"UTC", "Europe/Vienna", "America/Argentina/Ushuaia"} <= dict(time_zones()).keys()
    assert ("en", "English") in languages()
