"""The story of 2025, told on a database that begins with the terms of before: by the product's own acts, as of then."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import call_command
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation, Message
from config.demo import story
from config.demo.cast import DORA, GRACE, LARS, NORA, PETRA, RITA, UMA
from config.demo.crowd import MANY
from config.demo.people import ALICE, BOB, CHARLIE, MAX, STELLA, WENDY, WILL, Persona
from privacy import policy, standings
from privacy.evidence import checking, tree
from privacy.figures import answers
from privacy.gate import gate_for
from privacy.models import Event, Notice, Reminder, Standing, Terms
from privacy.policy import Gate
from privacy.rehearsal import rehearse
from privacy.vocabulary import Act, Training
from tests import database

ALLOW, DENY = Training.ALLOW, Training.DENY


@dataclass(frozen=True)
class Told:
    said: str
    mails: int
    verified: str  # what `verify_ledger` and `rebuild_standing --check` said afterwards


@pytest.fixture(scope="module")
def told(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    """A database of its own, as `up --demo` makes it on a fresh data folder, with the demonstration in it."""
    folder: Path = tmp_path_factory.mktemp("story")
    with (
        django_db_blocker.unblock(),
        override_settings(
            FIRST_TERMS=str(story.FIRST_TERMS), DATA_DIR=folder, LEDGER_HEADS_FILE=str(folder / "heads.jsonl")
        ),
        database.another(f"parley_story_{os.getpid()}"),
    ):
        before = len(mail.outbox)
        said = run("demo")
        tree.build(everything=True)
        verified = run("verify_ledger") + run("rebuild_standing", "--check")  # they raise for anything wrong
        yield Told(said, len(mail.outbox) - before, verified)


@pytest.fixture(autouse=True)
def _taken_back(told: Told) -> Iterator[None]:
    """What a test does is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def run(*command: str) -> str:
    said = StringIO()
    call_command(*command, stdout=said)
    return said.getvalue()


def the(persona: Persona) -> User:
    return User.objects.get(email=persona.email)


def august() -> Terms:
    return Terms.objects.get(slug=story.AUGUST)


def history(persona: Persona) -> list[str]:
    """What the ledger has of somebody, in its order: day and act."""
    return [f"{event.at:%m-%d} {event.act}" for event in Event.objects.of(the(persona)).order_by("pk")]


def signed_in(persona: Persona) -> Client:
    client = Client()
    client.force_login(the(persona))
    return client


# --- The people ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("persona", "gate", "training", "keeps", "epoch", "answered"),
    [
        (STELLA, Gate.OPEN, DENY, False, 0, story.AUGUST),
        (ALICE, Gate.OPEN, DENY, False, 0, story.AUGUST),
        (BOB, Gate.OPEN, ALLOW, False, 1, story.AUGUST),
        (MAX, Gate.OPEN, ALLOW, True, 1, story.AUGUST),
        (WENDY, Gate.OPEN, DENY, True, 0, story.AUGUST),
        (CHARLIE, Gate.STOP, DENY, True, 0, "1"),
        (DORA, Gate.STOP, ALLOW, True, 1, "1"),
        (GRACE, Gate.OPEN, ALLOW, False, 1, story.AUGUST),
        (LARS, Gate.OPEN, DENY, False, 2, story.AUGUST),
        (NORA, Gate.OPEN, ALLOW, False, 1, story.AUGUST),
        (PETRA, Gate.OPEN, ALLOW, False, 1, story.AUGUST),
        (RITA, Gate.OPEN, DENY, False, 2, story.AUGUST),
        (UMA, Gate.OPEN, None, False, 0, story.AUGUST),
    ],
    ids=lambda value: value.name if isinstance(value, Persona) else "",
)
def test_where_everybody_stands(persona, gate, training, keeps, epoch, answered):
    person = the(persona)
    standing = Standing.objects.get(user=person)
    assert gate_for(person, person.personal_workspace).gate is gate
    assert (standing.answer, standing.keep_history, standing.epoch) == (training, keeps, epoch)
    assert standing.terms.slug == answered


REMINDED = [f"{day} reminder_sent" for day in ("09-14", "09-21", "09-27")]
HISTORIES: dict[Persona, list[str]] = {
    ALICE: [
        *("01-15 notice_shown", "01-15 terms_accepted", "01-15 training_denied"),
        *("08-28 notice_shown", "08-28 terms_accepted", "08-28 training_denied"),
    ],
    MAX: [
        *("03-08 notice_shown", "03-08 terms_accepted", "03-08 training_allowed", "03-08 history_kept"),
        *("08-29 notice_shown", "08-29 deferred", "09-02 deferred", "09-09 deferred"),
        *("09-14 reminder_sent", "09-15 terms_accepted", "09-15 training_allowed"),
    ],
    CHARLIE: [
        *("05-20 notice_shown", "05-20 terms_accepted", "05-20 training_denied", "05-20 history_kept"),
        *("08-30 notice_shown", *REMINDED),
    ],
    DORA: [
        *("02-12 notice_shown", "02-12 terms_accepted", "02-12 training_allowed", "02-12 history_kept"),
        *("08-29 notice_shown", "08-29 deferred", "09-12 deferred", *REMINDED),
    ],
    GRACE: [
        *("04-09 notice_shown", "04-09 gpc_seen", "04-09 terms_accepted", "04-09 training_denied"),
        *("09-01 notice_shown", "09-01 gpc_seen", "09-01 terms_accepted", "09-01 training_allowed"),
    ],
    LARS: [
        *("03-01 notice_shown", "03-01 terms_accepted", "03-01 training_allowed"),
        *("08-31 notice_shown", "08-31 deferred", *REMINDED),
        *("10-06 terms_accepted", "10-06 training_withdrawn"),
    ],
    NORA: ["11-14 notice_shown", "11-14 terms_accepted", "11-14 training_allowed"],
    RITA: [
        *("01-28 notice_shown", "01-28 terms_accepted", "01-28 training_allowed", "08-29 notice_shown"),
        *("08-29 terms_accepted", "08-29 training_allowed", "11-10 training_withdrawn"),
    ],
    UMA: [
        *("05-05 notice_shown", "05-05 terms_accepted", "09-05 notice_shown", "09-05 terms_accepted"),
    ],
    WILL: [],
}


@pytest.mark.parametrize("persona", HISTORIES, ids=lambda persona: persona.name)
def test_what_everybody_did_in_which_order(persona):
    assert history(persona) == HISTORIES[persona]


def test_dora_is_stopped_and_her_earlier_allow_rests():
    standing = standings.standing_of(the(DORA))
    assert standing.suspended_from == story.DEADLINE and policy.suspended(standing, clock.now())
    [chat] = Conversation.objects.filter(author=the(DORA)).visible(clock.now())
    assert chat.tag_reason == "allowed" and not Conversation.objects.trainable(clock.now()).filter(pk=chat.pk)
    page = signed_in(DORA).get(reverse("chat:conversation", args=[chat.public_id]))
    assert page.status_code == 200 and "data-page=" in page.content.decode()  # the question stands over it


def test_graces_allow_against_her_browser_is_known_as_such():
    assert Standing.objects.get(user=the(GRACE)).despite_gpc
    allowed = Event.objects.of(the(GRACE)).get(act=Act.TRAINING_ALLOWED)
    assert allowed.detail["gpc"] is True and allowed.detail["despite_gpc"] is True


def test_rita_has_a_receipt_of_her_withdrawal_that_holds_without_this_server(tmp_path: Path):
    withdrawn, client = Event.objects.of(the(RITA)).get(act=Act.TRAINING_WITHDRAWN), signed_in(RITA)
    assert client.get(reverse("privacy:receipt", args=[withdrawn.key])).status_code == 200
    file = tmp_path / "receipt.json"
    file.write_bytes(client.get(reverse("privacy:receipt_document", args=[withdrawn.key])).content)
    said = "\n".join(checking.check(file))  # raises for what does not hold
    assert "2025-11-10" in said


def test_uma_is_told_that_nothing_trains():
    page = signed_in(UMA).get(reverse("privacy:settings")).content.decode()
    assert "None of your chats train models" in page and 'type="radio"' not in page


def test_will_is_never_asked_at_work():
    works = Workspace.objects.get(memberships__user=the(WILL), kind=Workspace.Kind.WORK)
    assert gate_for(the(WILL), works).gate is Gate.OPEN
    client = signed_in(WILL)
    client.post(reverse("accounts:switch"), {"workspace": str(works.public_id)})
    page = client.get(reverse("chat:new"))
    assert page.status_code == 200 and 'id="choice"' not in page.content.decode()
    assert not Notice.objects.filter(user=the(WILL)).exists()


def test_petras_chat_of_before_never_trains_and_one_of_today_does():
    trains = {
        chat.title: Conversation.objects.trainable(clock.now()).filter(pk=chat.pk).exists()
        for chat in Conversation.objects.filter(author=the(PETRA))
    }
    assert trains == {"A line about autumn": False, "Distance of the moon": True}


# --- What holds for all of them ------------------------------------------------


def test_the_ledger_is_in_the_order_of_what_happened():
    moments = list(Event.objects.order_by("pk").values_list("at", flat=True))
    assert moments == sorted(moments) and moments[-1] < datetime(2026, 1, 1, tzinfo=UTC)


def test_ledger_and_standings_are_what_they_must_be(told: Told):
    assert "The ledger is what was recorded." in told.verified and "without a leaf" not in told.verified
    assert "Every standing is what the ledger tells." in told.verified


def test_deferrals_kept_to_the_products_rules():
    by_person = defaultdict(list)
    for subject, at in Event.objects.filter(act=Act.DEFERRED).order_by("pk").values_list("subject", "at"):
        by_person[subject].append(at)
    for moments in by_person.values():
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert all(gap >= timedelta(days=1) for gap in gaps) and moments[-1] < story.DEADLINE
    assert sum(len(moments) for moments in by_person.values()) > MANY / 2


def test_nobody_was_written_to(told: Told):
    assert Reminder.objects.filter(sent_at__isnull=False).count() > MANY and told.mails == 0


def test_nobody_wrote_in_a_personal_chat_before_they_answered_nor_while_stopped():
    for chat in Conversation.objects.filter(workspace__kind=Workspace.Kind.PERSONAL).select_related("author"):
        accepted = Event.objects.of(chat.author).filter(act=Act.TERMS_ACCEPTED)
        latest = accepted.filter(at__lt=chat.begun_at).first()
        assert latest, chat
        assert chat.begun_at < story.DEADLINE or latest.terms == august().digest, chat


def test_every_conversation_bears_the_tag_that_the_policy_gives_it():
    for chat in Conversation.objects.select_related("workspace", "author"):
        row = Standing.objects.whole().filter(user=chat.author).first()
        standing = standings.as_facts(chat.author, row)
        assert chat.tag == policy.verdict(chat.facts(standing), standing, standings.schedule_for(chat.workspace, row))


# --- The terms -----------------------------------------------------------------


def test_both_versions_are_public_with_their_dates():
    page = Client().get(reverse("privacy:terms_list")).content.decode()
    assert page.index("28 August 2025 · current") < page.index("1 January 2025")
    assert "To be answered by 28 September 2025" in page
    assert Client().get("/terms/current/").context["terms"] == august()


def test_the_comparison_shows_what_changed():
    page = Client().get(reverse("privacy:terms_changes", args=[story.AUGUST])).content.decode()
    assert "2 years after the last message" in page and "5 years after the last message" in page
    assert "<h3>Training </h3>" in page and "## " not in page


@pytest.mark.parametrize("slug", ["1", story.AUGUST])
def test_the_document_is_what_the_digest_is_of(slug):
    answer = Client().get(reverse("privacy:terms_document", args=[slug]))
    digest = Terms.objects.get(slug=slug).digest
    assert hashlib.sha256(answer.content).hexdigest() == digest == answer.headers["Parley-Terms-SHA256"]


def test_the_publication_is_stellas_act():
    published = Event.objects.get(act=Act.TERMS_PUBLISHED)
    assert (published.actor, published.at) == (the(STELLA).subject.key, august().published_at)
    assert (august().published_at, august().deadline) == (story.published_at(), story.DEADLINE)


# --- The figures ---------------------------------------------------------------


def test_the_figures_have_something_to_draw():
    terms = august()
    people = answers.asked(terms)
    assert sum(people.total.values()) == MANY + 13  # everybody but Will
    assert people.total["deferred"] >= 3 and people.total["undecided"] >= 3
    assert set(people.groups["plan"]) == {"free", "pro", "max"} and {"DE", "US"} < set(people.groups["region"])
    for groups in people.groups.values():
        assert sum(sum(counts.values()) for counts in groups.values()) == MANY + 13
    days = answers.over_time(terms, clock.now(), people.total)
    assert (days[0].day, days[0].answered < 30, days[-1].answered) == (
        datetime(2025, 8, 28).date(),
        True,
        people.total["answered"],
    )
    assert answers.times(terms) and len(answers.reminders(terms)) == 3


def test_the_figures_page_shows_the_story():
    page = signed_in(STELLA).get(reverse("admin:privacy_terms_figures", args=[august().pk])).content.decode()
    assert page.count('<svg class="chart"') == 2 and "28 Aug 2025" in page and "Germany" in page
    assert "Nothing has changed since 28 November 2025." in page  # two weeks after Nora
    assert re.search(r"Half of the people answered within \d+.(hours|days?|weeks?) of their first notice, ", page)


def test_whoever_is_locked_out_is_counted():
    silent = rehearse(august(), clock.now()).silent
    total = answers.asked(august()).total
    assert silent == total["deferred"] + total["undecided"]


# --- Once ----------------------------------------------------------------------


def test_it_is_told_once(told: Told):
    models = (User, Workspace, Conversation, Message, Event, Notice, Reminder, Standing, Terms)
    made = {model: model.objects.count() for model in models}
    assert run("demo") == told.said
    assert {model: model.objects.count() for model in models} == made


def test_whoever_is_missing_is_made_again_and_nobody_else_is_touched():
    EmailAddress.objects.filter(user=the(MAX)).update(email="elsewhere@parley.example")
    User.objects.filter(pk=the(MAX).pk).update(email="elsewhere@parley.example")
    others = Event.objects.exclude(subject=None).values("subject").distinct().count()
    run("demo")
    assert history(MAX) == HISTORIES[MAX]
    assert Event.objects.exclude(subject=None).values("subject").distinct().count() == others + 1
    assert Terms.objects.count() == 2 and Event.objects.filter(act=Act.TERMS_PUBLISHED).count() == 1


def test_what_people_did_is_said_in_one_phrase_each(told: Told):
    lines = {line.split("@")[0].strip(): line for line in told.said.splitlines() if "@parley.example" in line}
    for persona, life in story.lives().items():
        assert life.did and life.did in lines[persona.name.lower()], persona
    assert reverse("admin:privacy_terms_figures", args=[august().pk]) in told.said
