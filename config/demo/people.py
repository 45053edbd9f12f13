"""The people of the demonstration and of the tests: one on each plan, an owner, a member, a stranger, staff."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Membership, User, Workspace
from accounts.plans import Plan

WORKS = "Wendy's Works"


@dataclass(frozen=True)
class Persona:
    name: str
    about: str
    born: date | None  # None: they left it out
    plan: Plan = Plan.FREE
    time_zone: str = "UTC"
    region: str = ""
    is_staff: bool = False

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '-')}@parley.example"


ALICE = Persona("Alice", "on the Free plan", date(1990, 3, 14), time_zone="Europe/Vienna", region="AT")
BOB = Persona("Bob", "on the Pro plan", date(1985, 7, 1), Plan.PRO, "Europe/London", "GB")
MAX = Persona("Max", "on the Max plan", date(1979, 12, 31), Plan.MAX, "America/New_York", "US")
WENDY = Persona("Wendy", f"owner of the Work workspace “{WORKS}”", date(1982, 5, 20), time_zone="Europe/Paris")
WILL = Persona("Will", f"member of “{WORKS}”", date(1995, 10, 9), time_zone="Europe/Paris")
CHARLIE = Persona("Charlie", "a stranger to all of them, on the Free plan", date(1992, 2, 29))
STELLA = Persona("Stella", "staff, may enter the administration", date(1988, 8, 8), is_staff=True)

EVERYBODY = (ALICE, BOB, MAX, WENDY, WILL, CHARLIE, STELLA)


@cache
def _encoded(password: str) -> str:
    """Hashed once for all of them: hashing is slow on purpose."""
    return make_password(password)


@transaction.atomic
def settle(persona: Persona, password: str, **details: Any) -> User:
    """The person of that persona: found by e-mail address, or given an account (`details` win over the persona's)."""
    if known := User.objects.filter(email=persona.email).first():
        return known
    of_persona = {
        "display_name": persona.name,
        "date_of_birth": persona.born,
        "time_zone": persona.time_zone,
        "region": persona.region,
        "is_staff": persona.is_staff,
        "is_superuser": persona.is_staff,
    }
    person = User(email=persona.email, password=_encoded(password), **of_persona | details)
    person.open()
    person.personal_workspace.plan = persona.plan
    person.personal_workspace.save(update_fields=["plan"])
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=True)
    if persona is WENDY:
        Workspace.objects.open_work(owner=person, name=WORKS)
    if persona is WILL:
        Membership.objects.create(user=person, workspace=works(password))
    return person


def works(password: str) -> Workspace:
    """The Work workspace that Wendy owns."""
    wendy = settle(WENDY, password)
    return Workspace.objects.get(name=WORKS, memberships__user=wendy, memberships__role=Membership.Role.OWNER)
