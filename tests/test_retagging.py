"""Re-tags of very many: written down by the act, carried out in pieces, and obeyed from the commit on."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations as acts
from privacy import checking, deleting, holds, keeping, retagging, signing, sweep
from privacy.models import Hold, Retagging
from privacy.selection import Selection
from privacy.vocabulary import Source, Training
from tests import many
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import asked, decided, published
from tests.test_tags import differ

pytestmark = pytest.mark.django_db
ALLOW, DENY = Training.ALLOW, Training.DENY
COLUMNS = ("tag_class", "tag_reason", "tag_epoch", "trains_until", "hidden_from", "purge_after", "grace_until", "held")
EASY = ("tag_class", "tag_reason", "tag_epoch", "held", "kept", "deleted_at")


@pytest.fixture
def in_pieces(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than three are many, and a chunk is five."""
    settings.RETAG_AT_ONCE = 3
    monkeypatch.setattr(retagging, "CHUNK", 5)


def signed(days: int | None, *, training: bool = False) -> None:
    works().refresh_from_db()
    seen = getattr(getattr(works(), "agreed", None), "agreement_id", None)
    said: dict[str, Any] = {"retention_days": days, "training": training, "source": Source.SETTINGS, "seen": seen}
    signing.sign(owner=wendy(), workspace=works(), **said)


def pick(number: int, user: User | None = None) -> Conversation:
    """One and the same of somebody's conversations, in every telling of a story."""
    return Conversation.objects.filter(author=user or alice()).order_by("pk")[number]


def only(row: Conversation) -> Selection:
    assert row.author
    return Selection(row.author, frozenset([row.public_id]))


# --- The same as at once ----------------------------------------------------------------

Story = list[Callable[[], object] | float]  # acts, and the days on which they happen

NEWER: dict[str, Any] = {"standard_days": 40, "training_years": 7}
STORIES: dict[str, Story] = {
    "allow": [lambda: decided(alice(), ALLOW)],
    "withdraw": [lambda: decided(alice(), ALLOW), 1, lambda: decided(alice(), DENY)],
    "keep": [lambda: decided(alice(), DENY, keep_history=True)],
    "keep, and no longer, after some have come to their end": [
        lambda: decided(alice(), DENY, keep_history=True),
        3,
        lambda: decided(alice(), DENY),
    ],
    "no longer kept, and kept again": [
        lambda: decided(alice(), DENY, keep_history=True),
        lambda: decided(alice(), DENY),
        2,
        lambda: decided(alice(), DENY, keep_history=True),
    ],
    "kept too late": [3, lambda: decided(alice(), DENY, keep_history=True)],
    "off, on, off": [
        lambda: decided(alice(), ALLOW),
        lambda: decided(alice(), DENY),
        1,
        lambda: decided(alice(), ALLOW),
    ],
    "newer terms": [lambda: published(**NEWER) and decided(alice(), DENY)],
    "deleted meanwhile, and back": [
        lambda: decided(alice(), DENY, keep_history=True),
        0.2,
        lambda: deleting.delete(only(pick(0))),
        lambda: acts.delete(alice(), conversation=pick(1).public_id),
        lambda: acts.undelete(alice(), conversation=pick(1).public_id),
        0.3,
        lambda: decided(alice(), DENY),
    ],
    "let go meanwhile": [
        lambda: decided(alice(), ALLOW),
        0.2,
        lambda: keeping.let_go(only(pick(11))),
        lambda: keeping.keep(only(pick(2))),
        0.3,
        lambda: decided(alice(), DENY),
    ],
    "gone on with meanwhile": [
        lambda: decided(alice(), ALLOW),
        lambda: asked(alice(), within=pick(3)),
        lambda: asked(alice(), "A new one"),
        1,
        lambda: decided(alice(), DENY),
        lambda: asked(alice(), "Another"),
    ],
    "held": [lambda: holds.place(alice(), "Claim", by=stella())],
    "held and released after some have come to their end": [
        lambda: holds.place(alice(), "Claim", by=stella()),
        3,
        lambda: decided(alice(), ALLOW),
        lambda: holds.release(Hold.objects.get(), "Settled", by=stella()),
    ],
    "two holds": [
        lambda: holds.place(alice(), "Claim", by=stella()),
        lambda: holds.place(alice().personal_workspace, "Court", by=stella()),
        1,
        lambda: holds.release(Hold.objects.get(reason="Claim"), "Settled", by=stella()),
    ],
    "agreed": [lambda: signed(7), 2, lambda: signed(None, training=True)],
    "agreed, shorter and longer": [lambda: signed(1), 1, lambda: signed(40), 2, lambda: signed(3, training=True)],
    "held at work": [lambda: signed(7), lambda: holds.place(will(), "Claim", by=stella()), 1, lambda: signed(3)],
}


def told(story: Story, move_clock: Callable[..., None]) -> list[dict[str, Any]]:
    """Everybody's rows after a story, undone again."""
    move_clock(days=0)
    with transaction.atomic():
        decided(alice(), DENY)
        decided(bob(), ALLOW)
        for user, place in ((alice(), None), (bob(), None), (will(), works()), (wendy(), works())):
            many.conversations(user, place)
        for step in story:
            move_clock(days=step) if isinstance(step, float | int) else step()
        many.carry_on()
        found = checking.check(slow=True)
        assert (found.drifted, found.waiting, found.examples) == (0, 0, [])
        rows = [{name: getattr(row, name) for name in {*COLUMNS, *EASY}} for row in Conversation.objects.order_by("pk")]
        transaction.set_rollback(True)
    return rows


@pytest.mark.parametrize("story", STORIES)
def test_what_is_carried_out_later_is_what_would_have_been_done_at_once(story, settings, monkeypatch, move_clock):
    settings.RETAG_AT_ONCE = 10_000
    at_once = told(STORIES[story], move_clock)
    assert not Retagging.objects.exists()
    settings.RETAG_AT_ONCE = 3
    monkeypatch.setattr(retagging, "CHUNK", 5)
    later = told(STORIES[story], move_clock)
    assert len(at_once) == len(later)
    for one, other in zip(at_once, later, strict=True):
        for name in COLUMNS:
            same = differ(one[name], other[name]) is False if name.endswith(("until", "from", "after")) else None
            assert same if same is not None else one[name] == other[name], (name, one, other)


# --- Meanwhile --------------------------------------------------------------------------


@pytest.mark.usefixtures("in_pieces")
class TestMeanwhile:
    """Written down and not yet carried out: from the commit on, everybody goes by what was decided."""

    def test_what_was_withdrawn_does_not_train(self):
        decided(alice(), ALLOW)
        many.conversations(alice())
        many.carry_on()
        mine = Conversation.objects.filter(author=alice())
        assert mine.trainable(clock.now()).exists()
        decided(alice(), DENY)
        assert Retagging.objects.open().exists() and mine.filter(trains_until__isnull=False).exists()
        assert not mine.trainable(clock.now()).exists()

    def test_what_is_to_be_kept_neither_ends_nor_is_purged(self, move_clock):
        decided(alice(), DENY)
        many.conversations(alice())
        before = Conversation.objects.visible(clock.now()).filter(temporary=False).count()
        decided(alice(), DENY, keep_history=True)
        move_clock(days=60)
        assert Conversation.objects.visible(clock.now()).filter(temporary=False).count() == before
        sweep.sweep()
        assert Conversation.objects.visible(clock.now()).filter(temporary=False).count() == before
        many.carry_on()
        sweep.sweep()
        assert Conversation.objects.visible(clock.now()).filter(temporary=False).count() == before

    def test_what_is_to_be_held_is_not_purged_even_if_it_was_deleted(self, move_clock):
        decided(alice(), DENY)
        many.conversations(alice())
        holds.place(alice(), "Claim", by=stella())
        move_clock(days=60)
        before = Conversation.objects.count()
        sweep.sweep()
        assert Conversation.objects.count() == before
        many.carry_on()
        sweep.sweep()
        assert Conversation.objects.count() == before

    def test_the_page_says_how_far_it_has_come(self, client, monkeypatch):
        decided(alice(), DENY)
        many.conversations(alice())
        client.force_login(alice())
        said = "They are being marked with it: 0 of 16 so far."
        assert said not in client.get("/privacy/").content.decode()
        decided(alice(), ALLOW)
        assert said in client.get("/privacy/").content.decode()
        step = Retagging.objects.get()
        told = iter([False, False, True])
        assert not retagging.work(step.pk, stopping=lambda: next(told))
        assert "10 of 16" in client.get("/privacy/").content.decode()
        many.carry_on()
        assert "being marked" not in client.get("/privacy/").content.decode()


# --- Workers ----------------------------------------------------------------------------


@pytest.mark.usefixtures("in_pieces")
def test_one_that_dies_leaves_whole_chunks_and_another_goes_on(monkeypatch, move_clock):
    decided(alice(), DENY)
    many.conversations(alice())
    decided(alice(), ALLOW)
    step, chunk, seen = Retagging.objects.get(), retagging.chunk, []

    def dies_at_the_third(*told: Any) -> Any:
        seen.append(told)
        if len(seen) == 3:
            raise MemoryError
        return chunk(*told)

    monkeypatch.setattr(retagging, "chunk", dies_at_the_third)
    with pytest.raises(MemoryError):
        retagging.work(step.pk)
    monkeypatch.setattr(retagging, "chunk", chunk)
    step.refresh_from_db()
    assert step.done == Conversation.objects.filter(tag_step=step.pk).count() == 10
    assert retagging.forgotten() == []
    move_clock(minutes=2)
    assert retagging.forgotten() == [step.pk] and retagging.forgotten() == []
    assert retagging.work(step.pk) and checking.check().drifted == 0
    assert Conversation.objects.filter(tag_step__lt=step.pk).count() == 0


def test_as_many_as_a_request_re_tags_are_not_written_down(settings):
    settings.RETAG_AT_ONCE = 16
    decided(alice(), DENY)
    many.conversations(alice())
    decided(alice(), ALLOW)
    assert not Retagging.objects.exists() and checking.check().drifted == 0
    asked(alice())
    decided(alice(), DENY)
    assert Retagging.objects.get().total == 17
