"""The pace of background work: at full speed alone, in small steps with rests beside people."""

from threading import Event

import pytest
from django.db import connection
from psycopg import connect

from privacy import pace
from privacy.pace import ALONE, BESIDE, LARGEST, LONGEST_REST, SMALLEST, Pace, Seen, paced


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        # Alone: it grows twofold at most, up to the largest, and does not rest.
        (Pace(100), Seen(100, 0.01), Pace(200)),
        (Pace(800), Seen(800, 0.01), Pace(LARGEST)),
        (Pace(LARGEST), Seen(LARGEST, ALONE * 2), Pace(LARGEST // 2)),
        # Beside people: what fits the shorter time, and a rest of several times what it took.
        (Pace(LARGEST), Seen(LARGEST, 0.2, others=1), Pace(100, LONGEST_REST)),
        (Pace(100), Seen(100, BESIDE, others=1), Pace(100, 0.1)),
        (Pace(100), Seen(100, 0.001, others=1), Pace(200, 0.05)),
        # Slow, whatever the reason: no smaller than the smallest, so that something goes.
        (Pace(100), Seen(100, 10.0, others=1), Pace(SMALLEST, LONGEST_REST)),
        # Somebody waits at this moment: twice the rest.
        (Pace(100), Seen(100, BESIDE, others=2, waiting=1), Pace(100, 0.2)),
        # Fellows take turns.
        (Pace(100), Seen(100, BESIDE, others=1, fellows=1), Pace(100, 0.2)),
        (Pace(100), Seen(100, BESIDE, fellows=3), Pace(100 * 2)),
        # A clock that did not move.
        (Pace(100), Seen(100, 0.0), Pace(200)),
    ],
)
def test_the_next_step(before, seen, after):
    found = paced(before, seen)
    assert found.chunk == after.chunk and found.rest == pytest.approx(after.rest)


def test_never_more_than_was_allowed():
    assert paced(Pace(10), Seen(10, 0.001), largest=15) == Pace(15)
    assert paced(Pace(10), Seen(10, 10.0, others=1), largest=10).chunk == 10


@pytest.mark.usefixtures("committed")
def test_it_sees_others_and_not_itself(monkeypatch):
    settings = connection.get_connection_params()
    said = {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if name in settings}
    with pace.Pacemaker() as one:
        # Sessions that earlier tests left idle are nobody's.
        monkeypatch.setattr(pace, "LATELY", 0.0)
        one.done(100)
        assert one.pace.rest == 0 and one.chunk == 2 * pace.FIRST
        monkeypatch.setattr(pace, "LATELY", 60.0)
        before = pace._look()[0]
        with connect(**said) as other:
            other.execute("SELECT 1")
            assert pace._look()[0] == before + 1
            one.done(100)
        assert one.pace.rest > 0


@pytest.mark.django_db
def test_told_to_stop_it_does_not_rest_to_the_end(monkeypatch):
    told = Event()
    told.set()
    monkeypatch.setattr(pace, "_look", lambda: (1, 0, 0))
    monkeypatch.setattr(pace.time, "sleep", lambda _seconds: pytest.fail("it rested"))
    with pace.Pacemaker(stopping=told.is_set) as one:
        one.done(100)


@pytest.mark.django_db
def test_a_session_is_called_as_before_afterwards():
    def called() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW application_name")
            return str(cursor.fetchone()[0])

    before = called()
    with pytest.raises(ZeroDivisionError), pace.Pacemaker():
        assert called() == pace.NAME
        raise ZeroDivisionError
    assert called() == before
