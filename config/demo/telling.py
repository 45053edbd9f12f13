"""Telling lives: what people did, in the order in which it happened and as of its moments, with nothing sent out."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from operator import itemgetter

from django.core.mail import get_connection
from django.db import transaction

from accounts import clock
from accounts.models import User
from config.demo.acts import Step, says
from config.demo.conversations import TALKS
from config.demo.people import Persona, settle
from config.demo.story import DEADLINE, REMINDER_DAYS, Life
from privacy import reminders

Happening = tuple[datetime, Callable[[], object]]


@transaction.atomic
def tell(lives: Mapping[Persona, Life], password: str, *, reminded: bool) -> dict[Persona, User]:
    """Let everybody live who is not there yet; returns all of them.

    Whoever is there is left alone, with whatever has been said, chosen and deleted since.
    """
    addresses = [persona.email for persona in lives]
    people = {person.email: person for person in User.objects.filter(email__in=addresses)}
    missing = {persona: life for persona, life in lives.items() if persona.email not in people}
    happenings = [one for persona, life in missing.items() for one in _of(persona, life, people, password)]
    if missing and reminded:
        happenings += _reminders()
    for at, happens in sorted(happenings, key=itemgetter(0)):
        with clock.back_at(at):
            happens()
    return {persona: people[persona.email] for persona in lives}


def _of(persona: Persona, life: Life, people: dict[str, User], password: str) -> list[Happening]:
    """One life. Nobody is there before they come, so everybody is looked up when it happens."""

    def comes() -> None:
        people[persona.email] = settle(persona, password)

    def does(step: Step) -> Callable[[], object]:
        return lambda: step.does(people[persona.email])

    return [(life.came, comes), *((step.at, does(step)) for step in (*life.steps, *_recent(persona)))]


def _recent(persona: Persona) -> list[Step]:
    now = clock.now()
    return [says(now - timedelta(days=talk.days_ago), talk) for talk in TALKS.get(persona, ())]


def _reminders() -> list[Happening]:
    """The reminders of the story. Nobody is written to."""
    nowhere = get_connection("django.core.mail.backends.dummy.EmailBackend")
    at_three = DEADLINE.replace(hour=15)  # by then it is past nine wherever the story's people live
    return [(at_three - timedelta(days=day), lambda: reminders.remind(nowhere)) for day in REMINDER_DAYS]
