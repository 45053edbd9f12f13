"""People who write, as the database sees them: the statements of a turn at a fixed rate, from threads of one process.

    python -m tests.bench.writers DATABASE_URL RATE SECONDS

Prints the milliseconds of each, from the moment it was to begin. Written without the ORM, whose own time would hide
what a sweep beside it costs.
"""

import random
import sys
import threading
import time
from typing import Any
from uuid import uuid4

import psycopg

THREADS = 8
LAST = 1_000  # people who write; what is theirs is not due
TEXT = "What is a promise, and who keeps it? " * 16


def main() -> None:
    url, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    with psycopg.connect(url, autocommit=True) as one:
        found = one.execute(
            "SELECT personal_to_id, id FROM accounts_workspace WHERE kind = 'personal' ORDER BY id DESC LIMIT %s",
            [LAST],
        ).fetchall()
    taken: list[float] = []
    begin = time.monotonic() + 0.5
    threads = [
        threading.Thread(target=_write, args=(url, found, begin + n / rate, THREADS / rate, begin + seconds, taken))
        for n in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join(f"{one:.3f}" for one in taken))


def _write(url: str, people: list[Any], due: float, every: float, until: float, taken: list[float]) -> None:
    chance = random.Random(due)
    with psycopg.connect(url, autocommit=True, prepare_threshold=3) as one:
        _turn(one, chance.choice(people))
        while due < until:
            time.sleep(max(due - time.monotonic(), 0))
            _turn(one, chance.choice(people))
            taken.append((time.monotonic() - due) * 1000)
            due += every


def _turn(one: "psycopg.Connection[Any]", person: tuple[int, int]) -> None:
    """Person, standing, allowance, conversation, question and answer: what `begin_turn` sends, in its order."""
    user, place = person
    with one.transaction():
        one.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR NO KEY UPDATE", [user])
        one.execute("SELECT 1 FROM privacy_standing WHERE user_id = %s FOR SHARE", [user])
        one.execute("SELECT * FROM privacy_standing WHERE user_id = %s", [user])
        one.execute(
            "SELECT m.id FROM chat_message m JOIN chat_conversation c ON c.id = m.conversation_id"
            " WHERE m.state IN ('waiting', 'streaming') AND c.author_id = %s LIMIT 5",
            [user],
        )
        one.execute("INSERT INTO chat_spentturn (user_id, workspace_id, at) VALUES (%s, %s, now())", [user, place])
        numbers = one.execute(
            "SELECT nextval(pg_get_serial_sequence('chat_message', 'id')) FROM generate_series(1, 2)"
        ).fetchall()
        question, answer = numbers[0][0], numbers[1][0]
        conversation = one.execute(
            "INSERT INTO chat_conversation (public_id, workspace_id, author_id, begun_at, last_activity_at, temporary,"
            " kept, held, tag_class, tag_reason, tag_epoch, hidden_from, purge_after, title, title_source, leaf_id)"
            " VALUES (%s, %s, %s, now(), now(), false, false, false, 'standard', 'denied', 1,"
            " now() + interval '30 days', now() + interval '30 days', 'A promise', 'question', %s) RETURNING id",
            [uuid4(), place, user, answer],
        ).fetchall()[0][0]
        insert = (
            "INSERT INTO chat_message (id, public_id, conversation_id, parent_id, role, state, text, html, error,"
            " model, operator, created_at, attempt)"
            " VALUES (%s, %s, %s, %s, %s, 'complete', %s, '', '', 'SmolLM2', 'this machine', now(), 0)"
        )
        one.execute(insert, [question, uuid4(), conversation, None, "user", TEXT])
        one.execute(insert, [answer, uuid4(), conversation, question, "assistant", ""])


if __name__ == "__main__":
    main()
