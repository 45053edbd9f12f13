"""Re-tagging beside bare UPDATEs: everybody's conversations, and one person's within a choice. By hand, on a quiet
machine: docs/benchmarks.md.

    uv run python -m tests.bench.retagging

Own engines with the settings of `up`, which are printed. The aims: everybody's in at most 1.5 times the time of one
bare UPDATE of the same columns in the same rows; one person's ten thousand within 300 ms in the request.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.bench import many

LOADED, ROUNDS, ONES = "loaded", 3, 10_000
BARE = """
UPDATE chat_conversation SET tag_class = 'standard', tag_reason = %s, tag_epoch = 1, trains_until = NULL,
    hidden_from = last_activity_at + %s, purge_after = last_activity_at + %s
"""
# What changes for everybody, and what a bare UPDATE writes then: reason and time. Where ends move, each row's entries
# in all indexes are written anew; where they stay, none is.
CHANGES = {
    "other terms move all ends": ("UPDATE privacy_standing SET terms_id = %s", "denied", timedelta(days=45)),
    "only reasons change": ("UPDATE privacy_standing SET training = NULL", "undecided", timedelta(days=30)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=200_000)
    options = parser.parse_args()
    with many.engines():
        many.load(LOADED, options.conversations, messages=False, due=False)
        everybody(options.conversations)
        one_person()


def everybody(conversations: int) -> None:
    """By turns: the bare UPDATE, and the product's own act after what holds for all people has changed under it."""
    for name, (change, reason, lasts) in CHANGES.items():
        ratios = []
        for number in range(ROUNDS):
            with many.copy_of(LOADED) as copy, many.session(copy) as one:
                bare = timed(lambda: one.execute(BARE, [reason, lasts, lasts]))  # noqa: B023
            with many.copy_of(LOADED) as copy:
                newer, _ = in_database(copy, newer_terms)
                with many.session(copy) as one:
                    one.execute(change, [newer] if "%s" in change else None)
                changed, seconds = in_database(copy, tagged_anew)
                assert changed == conversations, changed
            ratios.append(seconds / bare)
            print(
                f"{name}, round {number + 1}: bare UPDATE {conversations / bare:,.0f} rows/s, everybody tagged anew"
                f" {conversations / seconds:,.0f} rows/s, {ratios[-1]:.2f} times the time",
                flush=True,
            )
        middle = statistics.median(ratios)
        print(f"{name}, median of {ROUNDS}: {middle:.2f} times one bare UPDATE (aim: at most 1.5)", flush=True)


def one_person() -> None:
    """Choices of somebody with ten thousand conversations, to and fro, each with all that a choice does."""
    with many.copy_of(LOADED) as copy:
        with many.session(copy) as one:
            many.give_to_one(one, ONES)
            one.execute("UPDATE accounts_user SET date_of_birth = '1990-05-17'")
        taken = in_database(copy, choices)[0]
    print(
        f"one person with {ONES:,}: a choice takes {statistics.median(taken) * 1000:.0f} ms, median of {len(taken)}"
        f" ({min(taken) * 1000:.0f} to {max(taken) * 1000:.0f}; aim: 300)"
    )


def newer_terms() -> int:
    """Terms that keep ordinary chats for longer; nobody has answered them."""
    from privacy import versions
    from privacy.models import Terms

    said = {"slug": "newer", "title": "Newer terms", "summary": "Chats stay longer.", "body": "Text"}
    return versions.seal(Terms.objects.create(**said, standard_days=45), None).pk


def tagged_anew() -> int:
    from privacy import everybody as act
    from privacy import retagging

    step = act.ask("A benchmark", queued=False)
    assert retagging.work(step.pk)
    step.refresh_from_db()
    return step.changed


def choices() -> list[float]:
    from accounts.models import User
    from privacy import standings
    from privacy.choices import choose
    from privacy.models import Retagging
    from privacy.vocabulary import Source, Training

    person = User.objects.select_related("personal_workspace").order_by("-personal_workspace").first()
    assert person
    taken = []
    for training in [Training.ALLOW, Training.DENY] * 5:
        terms = standings.owed_terms(person)
        assert terms
        said = {"terms": terms, "training": training, "keep_history": False, "source": Source.PAGE}
        taken.append(timed(lambda: choose(user=person, **said)))  # type: ignore[arg-type]  # noqa: B023
    assert not Retagging.objects.exists()
    return taken[1:]


def in_database(name: str, act: Callable[[], Any]) -> tuple[Any, float]:
    """What an act of the product gave in that database, and the seconds that it took."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        connection.ensure_connection()
        began = time.perf_counter()
        given = act()
        return given, time.perf_counter() - began
    finally:
        connection.close()


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
