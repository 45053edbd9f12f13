"""Choices at the same instant, with real commits: one order in the ledger, an unbroken chain, and a standing that is
what the last event says, whoever comes first.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from privacy import holdings, notices, publishing, rebuilding, standings
from privacy.choices import choose
from privacy.errors import StaleAnswer, TooLateToDefer
from privacy.evidence.verifying import check_events
from privacy.models import Event, Notice, Standing, Terms
from privacy.vocabulary import Act, Source, Training
from tests.answering import apart, until_somebody_waits
from tests.choosing import CHOICE, DEFER, FETCH, SETTINGS, UNDO, answers, hidden, says, token
from tests.people import alice, stella
from tests.scenes import decided, published
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("committed")


def tabs(number: int) -> list[Client]:
    """So many browsers in which Alice is signed in, and owes an answer."""
    decided(alice(), Training.ALLOW)
    published()
    opened = [Client() for _ in range(number)]
    for tab in opened:
        tab.force_login(alice())
    return opened


def whole() -> bool:
    """Whether the chain is unbroken and every standing what the ledger tells."""
    check_events(lambda: None)
    return not list(rebuilding.differences(lambda _: None))


def together(*acts: Callable[[], object]) -> list[Any]:
    """What each gave, done at the same instant."""
    given: dict[int, object] = {}

    def do(number: int) -> None:
        given[number] = acts[number]()

    assert at_once(*(partial(do, number) for number in range(len(acts)))) == []
    return [given[number] for number in range(len(acts))]


# --- Answers -----------------------------------------------------------------------


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_two_tabs_that_differ_have_one_order_and_both_show_the_last(door):
    one, two = tabs(2)
    for slug in ("3", "4"):
        sent = [{"token": token(tab.get(door)), "training": said} for tab, said in ((one, "allow"), (two, "deny"))]
        before = len(answers(alice()))
        told = together(partial(one.post, door, sent[0]), partial(two.post, door, sent[1]))
        stands = Standing.objects.get(user=alice()).training
        assert answers(alice())[before] == Act.TERMS_ACCEPTED and len(answers(alice())) == before + 2
        assert (answers(alice())[-1] == Act.TRAINING_ALLOWED) is (stands == "allow") and whole()
        taken, refused = told if stands == "allow" else told[::-1]
        assert (taken.status_code, refused.status_code) == (302, 200) and "in another tab" in says(refused)
        assert {tab.get(SETTINGS).context["standing"].training for tab in (one, two)} == {stands}
        published(slug)


def test_twenty_identical_answers_at_once_record_one():
    opened = tabs(20)
    sent = {"token": token(opened[0].get(CHOICE)), "training": "deny", "keep_history": "on"}
    told = together(*(partial(tab.post, CHOICE, sent) for tab in opened))
    assert {page.status_code for page in told} == {302}
    assert answers(alice())[2:] == [Act.TERMS_ACCEPTED, Act.TRAINING_WITHDRAWN, Act.HISTORY_KEPT] and whole()
    assert Standing.objects.get(user=alice()).epoch == 2


def test_pages_that_open_at_once_leave_one_notice():
    opened = tabs(6)
    together(*(partial(tab.get, CHOICE) for tab in opened))
    assert Notice.objects.filter(user=alice()).count() == 1 and whole()
    assert Event.objects.of(alice()).filter(act=Act.NOTICE_SHOWN).count() == 1


# --- Putting off and taking back --------------------------------------------------------


def test_put_off_and_chosen_at_once_is_chosen_and_never_put_off_afterwards():
    one, two = tabs(2)
    for slug in ("3", "4", "5"):
        sent = [{"token": token(tab.get(CHOICE))} for tab in (one, two)]
        before = len(answers(alice()))
        put_off, chosen = together(
            partial(one.post, DEFER, sent[0]),
            partial(two.post, CHOICE, {**sent[1], "training": "allow"}, headers=FETCH),
        )
        new = answers(alice())[before:]
        assert new in (
            [Act.DEFERRED, Act.TERMS_ACCEPTED, Act.TRAINING_ALLOWED],
            [Act.TERMS_ACCEPTED, Act.TRAINING_ALLOWED],
        )
        assert chosen["Parley-Choice"] == "recorded" and put_off.status_code == 302 and whole()
        assert ("/privacy/choice/" in put_off["location"]) == (Act.DEFERRED not in new)
        published(slug)


def test_what_waits_behind_a_choice_is_not_put_off():
    (tab,) = tabs(1)
    tab.get(CHOICE)
    notice = Notice.objects.get(user=alice())
    with until_somebody_waits():
        decided(alice(), Training.DENY)
        late = apart(notices.defer, alice(), notice)
    assert isinstance(late.exception(10), TooLateToDefer)
    assert Act.DEFERRED not in answers(alice()) and whole()


def test_a_choice_that_waits_behind_putting_off_is_made():
    (tab,) = tabs(1)
    tab.get(CHOICE)
    notice = Notice.objects.get(user=alice())
    with until_somebody_waits():
        notices.defer(alice(), notice)
        chosen = apart(decided, alice(), Training.DENY)
    assert chosen.result(10).training is Training.DENY
    assert answers(alice())[2:] == [Act.DEFERRED, Act.TERMS_ACCEPTED, Act.TRAINING_WITHDRAWN] and whole()


def test_taken_back_and_chosen_anew_at_once_have_one_order():
    one, two = tabs(2)
    sent = {"token": token(one.get(CHOICE)), "training": "deny", "next": SETTINGS}
    undo = hidden(one.post(CHOICE, sent, follow=True), "undo")
    anew = {"token": token(two.get(SETTINGS)), "training": "deny", "keep_history": "on"}
    back, chosen = together(partial(one.post, UNDO, {"undo": undo}), partial(two.post, SETTINGS, anew))
    new, standing = answers(alice())[4:], Standing.objects.get(user=alice())
    assert new in ([Act.TRAINING_ALLOWED], [Act.HISTORY_KEPT]) and whole()
    assert (standing.training, standing.keep_history) == (
        ("allow", False) if new[0] == Act.TRAINING_ALLOWED else ("deny", True)
    )
    assert (back["location"] == SETTINGS) == (new[0] == Act.HISTORY_KEPT)
    assert (chosen.status_code == 302) == (new[0] == Act.HISTORY_KEPT)


def test_taken_back_twice_at_once_is_taken_back_once():
    one, two = tabs(2)
    sent = {"token": token(one.get(CHOICE)), "training": "deny", "next": SETTINGS}
    undo = {"undo": hidden(one.post(CHOICE, sent, follow=True), "undo")}
    together(partial(one.post, UNDO, undo), partial(two.post, UNDO, undo))
    assert answers(alice())[4:] == [Act.TRAINING_ALLOWED] and whole()


# --- Publications -------------------------------------------------------------------------


def draft(slug: str) -> Terms:
    deadline = clock.now().replace(year=clock.now().year + 1)
    return Terms.objects.create(slug=slug, title="t", summary="s", body="b", deadline=deadline)


def answered(terms: Terms) -> User:
    choose(user=alice(), terms=terms, training=Training.DENY, keep_history=None, source=Source.PAGE)
    return alice()


def test_an_answer_waits_for_a_publication_and_is_then_none():
    owed, staff = standings.owed_terms(alice()), stella()
    assert owed
    with until_somebody_waits():
        publishing.publish(draft("2"), by=staff)
        late = apart(answered, owed)
    assert isinstance(late.exception(10), StaleAnswer)
    assert answers(alice()) == [] and not Standing.objects.filter(user=alice(), terms__isnull=False).exists()


def test_a_publication_waits_for_an_answer_and_comes_after_it():
    owed, staff, new = standings.owed_terms(alice()), stella(), draft("2")
    assert owed
    with until_somebody_waits():
        answered(owed)
        published_ = apart(lambda: publishing.publish(new, by=staff))
    since = Standing.objects.get(user=alice()).since
    assert since and published_.result(10).published_at > since
    acts = [event.act for event in Event.objects.order_by("pk")]
    assert acts == [Act.TERMS_ACCEPTED, Act.TRAINING_DENIED, Act.TERMS_PUBLISHED]


def test_at_the_same_instant_it_is_one_or_the_other():
    """No answer to what is superseded is ever recorded after the publication, in the ledger's order or by the clock."""
    staff = stella()
    for number in range(2, 6):
        owed, new = standings.owed_terms(alice()), draft(str(number))
        raised = at_once(partial(answered, owed), lambda new=new: publishing.publish(new, by=staff))
        assert {type(error) for error in raised} <= {StaleAnswer}
        publication = Event.objects.get(act=Act.TERMS_PUBLISHED, terms=Terms.objects.get(pk=new.pk).digest)
        mine = Event.objects.of(alice()).filter(act=Act.TERMS_ACCEPTED, terms=owed.digest)
        assert mine.exists() is not bool(raised)
        assert all(event.pk < publication.pk and event.at < Terms.objects.get(pk=new.pk).published_at for event in mine)


# --- Accounts that are switched off ----------------------------------------------------------


def test_an_answer_that_waited_while_its_account_was_switched_off_is_none():
    person, owed = alice(), standings.owed_terms(alice())
    with until_somebody_waits():
        Standing.objects.for_change(person)
        late = apart(answered, owed)
        User.objects.filter(pk=person.pk).update(is_active=False)
    assert isinstance(late.exception(10), NotFound) and answers(person) == []


def test_one_whose_account_is_switched_off_meanwhile_is_told_to_sign_in():
    (tab,) = tabs(1)
    sent = {"token": token(tab.get(CHOICE)), "training": "deny"}
    User.objects.filter(pk=alice().pk).update(is_active=False)
    assert tab.post(CHOICE, sent)["location"].startswith("/account/login/")
    assert answers(alice()) == [Act.TERMS_ACCEPTED, Act.TRAINING_ALLOWED]


def test_a_holder_that_fails_to_hear_of_an_answer_undoes_nothing(caplog):
    chats = next(one for one in holdings.all_holdings() if one.name == "conversations")
    holdings.register(replace(chats, standing_changed=lambda _: 1 / 0))
    try:
        decided(alice(), Training.ALLOW)
    finally:
        holdings.register(chats)
    assert "division by zero" in caplog.text
    assert Standing.objects.get(user=alice()).training == Training.ALLOW
