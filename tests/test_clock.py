"""The one clock: it can be moved ahead by tests, and back by the demonstration, for itself alone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from accounts import clock

THEN = datetime(2025, 8, 28, 16, tzinfo=UTC)


def test_it_is_then_within_the_block_and_now_after_it():
    with clock.back_at(THEN):
        assert clock.now() == THEN
        with clock.back_at(THEN - timedelta(days=1)):
            assert clock.now() == THEN - timedelta(days=1)
        assert clock.now() == THEN
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_error_within_the_block_ends_it():
    with pytest.raises(ZeroDivisionError), clock.back_at(THEN):
        _ = 1 / 0
    assert clock.now() > THEN


def test_what_is_to_come_cannot_be_told():
    with pytest.raises(ValueError, match="to come"), clock.back_at(datetime.now(UTC) + timedelta(minutes=1)):
        pass
    with pytest.raises(TypeError), clock.back_at(datetime(2025, 8, 28)):  # which moment is that?
        pass


def test_within_the_block_too_the_present_is_the_present():
    """Going back does not make what has passed since into something to come."""
    with clock.back_at(THEN), clock.back_at(THEN + timedelta(days=1)):
        assert clock.now() == THEN + timedelta(days=1)


def test_other_threads_go_on_as_before():
    seen = []
    with clock.back_at(THEN):
        other = threading.Thread(target=lambda: seen.append(clock.now()))
        other.start()
        other.join()
    assert seen[0] > THEN


def test_ahead_and_back_agree(move_clock):
    move_clock(days=10)
    with clock.back_at(datetime.now(UTC) + timedelta(days=9)):  # past by the clock that was moved
        assert clock.now() > datetime.now(UTC)
