"""A sweep that would purge far more than usual asks staff first; what people deleted goes all the same."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from privacy import breaker, policy, standings, tagging
from privacy import sweep as sweeping
from privacy.models import Event, SweepRun, SweepStop
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, stella
from tests.scenes import answered, decided

GO_ON, NO = SweepStop.Answer.GO_ON, SweepStop.Answer.NO
THEN = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("due", "live", "trips"),
    [
        (1000, 1000, False),  # all of them, but few
        (1001, 20_000, True),
        (1001, 20_020, False),  # exactly 5 %
        (5000, 200_000, False),
        (10_001, 200_000, True),
        (0, 0, False),
    ],
)
def test_both_limits_must_be_exceeded(due: int, live: int, trips: bool) -> None:
    assert breaker.too_many(due, live, percent=5.0, count=1000) is trips


@pytest.mark.parametrize(
    ("ahead", "database", "last", "odd"),
    [
        (timedelta(), timedelta(), None, False),
        (timedelta(), timedelta(minutes=4), timedelta(minutes=1), False),
        (timedelta(), timedelta(minutes=6), None, True),
        (timedelta(), -timedelta(days=365), None, True),
        (timedelta(), timedelta(), -timedelta(minutes=6), True),  # backwards
        (timedelta(), timedelta(), WEEK, False),
        (timedelta(), timedelta(), timedelta(days=365), True),  # a year forwards, and the database with it
    ],
)
def test_a_clock_is_doubted_by_the_databases_and_by_the_last_run(ahead, database, last, odd) -> None:
    before = None if last is None else THEN - last
    assert bool(breaker.clock_doubt(THEN + ahead, THEN, THEN + database, before, WEEK)) is odd


def three_expired(settings, move_clock) -> None:
    """Three of Alice's four have come to their end, one more than passes without staff."""
    settings.SWEEP_LIMIT_COUNT = 2
    decided(alice(), Training.DENY)
    for _ in range(3):
        answered(alice())
    move_clock(days=31)
    answered(alice())


@pytest.mark.django_db
class TestManyAtOnce:
    @pytest.fixture(autouse=True)
    def many(self, settings, move_clock):
        three_expired(settings, move_clock)

    def test_nothing_goes_and_staff_is_asked_once(self):
        for _ in range(3):
            assert sweeping.sweep() is None
        stop = SweepStop.objects.get()
        assert (stop.due, stop.live, stop.cause, Conversation.objects.count()) == (3, 4, "many", 4)
        assert [(group["tag_class"], group["tag_reason"], group["count"]) for group in stop.groups] == [
            ("standard", "denied", 3)
        ]
        assert Event.objects.filter(act=Act.SWEEP_STOPPED).count() == 1
        assert {run.stopped_by for run in SweepRun.objects.all()} == {"many"}

    def test_a_little_less_passes_by_itself_and_makes_the_question_moot(self, settings):
        sweeping.sweep()
        settings.SWEEP_LIMIT_COUNT = 3
        assert sweeping.sweep().purged == 3
        assert SweepStop.objects.get().answer == SweepStop.Answer.MOOT

    def test_what_people_deleted_goes_all_the_same(self, move_clock):
        deleted = conversations.delete(alice(), conversation=Conversation.objects.latest("pk").public_id)
        move_clock(days=32, minutes=1)
        run = sweeping.sweep()
        assert (run.purged, run.deleted, run.stopped_by) == (1, 1, "many")
        assert not Conversation.objects.filter(pk=deleted.pk).exists() and Conversation.objects.count() == 3

    def test_go_on_lets_as_many_pass_as_staff_was_shown_and_once(self, settings):
        sweeping.sweep()
        breaker.answer(SweepStop.objects.get(), GO_ON, "The terms say so.", by=stella())
        Conversation.objects.filter(purge_after__gt=clock.now()).update(purge_after=clock.now())  # due meanwhile
        settings.SWEEP_LIMIT_COUNT = 0
        run = sweeping.sweep()
        assert (run.purged, Conversation.objects.count()) == (3, 1)
        assert sweeping.sweep() is None and Conversation.objects.count() == 1
        event = Event.objects.get(act=Act.SWEEP_ANSWERED)
        assert event.detail["answer"] == "go_on" and event.detail["due"] == 3 and event.actor

    def test_no_holds_for_a_day_and_then_it_asks_again(self, move_clock):
        sweeping.sweep()
        breaker.answer(SweepStop.objects.get(), NO, "Somebody set the schedule to zero.", by=stella())
        move_clock(days=31, hours=23)
        assert sweeping.sweep() is None and not SweepStop.objects.open().exists()
        move_clock(days=32, minutes=1)
        assert sweeping.sweep() is None and SweepStop.objects.open().count() == 1
        assert Conversation.objects.count() == 4

    def test_an_answer_is_given_once_and_a_go_on_lapses(self, move_clock):
        sweeping.sweep()
        stop = SweepStop.objects.get()
        breaker.answer(stop, GO_ON, "Checked.", by=stella())
        with pytest.raises(breaker.AlreadyAnswered):
            breaker.answer(stop, NO, "After all not.", by=stella())
        move_clock(days=32, minutes=1)
        assert sweeping.sweep() is None and SweepStop.objects.open().count() == 1

    def test_a_permission_survives_a_run_that_dies_and_is_not_doubled(self, monkeypatch):
        sweeping.sweep()
        breaker.answer(SweepStop.objects.get(), GO_ON, "Checked.", by=stella())
        told = iter([False, False, True])
        sweeping.sweep(chunk=1, stopping=lambda: next(told))
        assert (Conversation.objects.count(), SweepStop.objects.get().left) == (3, 2)
        assert sweeping.sweep(chunk=1).purged == 2
        assert SweepStop.objects.get().left == 0

    def test_the_dry_run_says_so_and_changes_nothing(self, capsys):
        call_command("sweep_retention", "--dry-run")
        said = capsys.readouterr().out
        assert "3 would be purged because they have come to the end of their class" in said
        assert "You did not allow training." in said and "None of them would go before staff says so" in said
        assert Conversation.objects.count() == 4 and not SweepRun.objects.exists() and not SweepStop.objects.exists()


@pytest.mark.django_db
class TestMistakes:
    def test_a_standard_retention_of_zero_days_stops_the_sweep(self, settings, move_clock):
        settings.SWEEP_LIMIT_COUNT = 2
        decided(alice(), Training.DENY)
        move_clock(days=20)
        for _ in range(3):
            answered(alice())
        rows, standing = Conversation.objects.filter(author=alice()), standings.standing_of(alice())
        tagging.retag(rows, standing, policy.Schedule(standard=policy.Duration(days=0)))
        assert sweeping.sweep() is None and not SweepStop.objects.exists()  # an end never jumps nearer than 30 days
        move_clock(days=51)
        assert sweeping.sweep() is None
        assert (SweepStop.objects.get().due, Conversation.objects.count()) == (3, 3)

    def test_never_is_never_due(self, move_clock):
        decided(alice(), Training.DENY, keep_history=True)
        answered(alice())
        move_clock(days=40_000)
        assert sweeping.sweep() is None and not SweepStop.objects.exists()
        assert Conversation.objects.count() == 1


@pytest.mark.django_db
class TestClock:
    @pytest.fixture
    def one_expired(self, move_clock):
        """Once the clock has jumped, one is due, far below any limit; another was deleted."""
        decided(alice(), Training.DENY)
        answered(alice())
        conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
        assert sweeping.sweep() is None

    @pytest.mark.usefixtures("one_expired")
    def test_a_year_forwards_purges_only_what_was_deleted(self, move_clock):
        move_clock(days=365)
        run = sweeping.sweep()
        assert (run.purged, run.deleted, run.stopped_by) == (1, 1, "clock")
        assert SweepStop.objects.get().cause == "clock" and "long before" in SweepStop.objects.get().doubt
        for _ in range(2):  # its own moment does not vouch for the clock
            assert sweeping.sweep() is None and Conversation.objects.count() == 1

    @pytest.mark.usefixtures("one_expired")
    def test_it_goes_on_by_itself_once_the_clock_is_right_again(self, move_clock):
        move_clock(days=365)
        sweeping.sweep()
        move_clock(minutes=1)
        sweeping.sweep()
        assert SweepStop.objects.get().answer == SweepStop.Answer.MOOT and SweepRun.objects.first().stopped_by == ""

    @pytest.mark.usefixtures("one_expired")
    def test_staff_may_say_that_the_clock_is_right(self, move_clock):
        move_clock(days=365)
        sweeping.sweep()
        breaker.answer(SweepStop.objects.get(), GO_ON, "We were closed for a year.", by=stella())
        assert sweeping.sweep().purged == 1
        move_clock(days=365, minutes=1)
        assert sweeping.sweep() is None and SweepRun.objects.first().stopped_by == ""

    def test_backwards_purges_nothing_that_came_to_its_end(self, move_clock):
        decided(alice(), Training.DENY)
        answered(alice())
        SweepRun.objects.create(clock_at=clock.now() + timedelta(days=40))
        move_clock(days=31)
        assert sweeping.sweep() is None
        assert "was later" in SweepStop.objects.get().doubt and Conversation.objects.count() == 1


@pytest.mark.django_db
def test_a_run_says_what_went_and_quiet_ones_are_forgotten(move_clock):
    sweeping.sweep()
    decided(alice(), Training.DENY)
    decided(bob(), Training.ALLOW)
    answered(alice())
    conversations.delete(bob(), conversation=answered(bob()).conversation.public_id)
    move_clock(days=31)
    run = sweeping.sweep(chunk=1)
    run.refresh_from_db()
    assert (run.purged, run.deleted, run.rows, run.chunks, run.stopped_by) == (2, 1, 6, 2, "")
    assert run.by_reason == {"standard": {"denied": 1, "deleted": 1}} and run.bytes > 20
    assert run.finished_at >= run.started_at and SweepRun.objects.count() == 1
