"""The plans of what is asked most as the tables grow tenfold: what is due, and the lists. By hand: docs/benchmarks.md.

    uv run python -m tests.bench.plans

For each, the number of rows that were looked at, the pages, and how the table of conversations was entered. An index
scan of constant cost shows the same numbers at both sizes.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.bench import many

SIZES, ONES = (20_000, 200_000), 10_000


def main() -> None:
    with many.engines():
        for size in SIZES:
            many.load(f"of{size}", size, messages=False)
            print(f"\n{size:,} conversations")
            for name, rows in in_database(f"of{size}"):
                show(name, rows)
        with many.session(f"of{SIZES[-1]}") as one:
            many.give_to_one(one, ONES)
        print(f"\n{SIZES[-1]:,} conversations, {ONES:,} of them that person's")
        for name, rows in list(in_database(f"of{SIZES[-1]}"))[1:]:
            show(name, rows)


def in_database(name: str) -> Iterator[tuple[str, Any]]:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    from accounts import clock
    from accounts.models import Membership, User
    from chat.access import conversations_of
    from chat.models import Conversation
    from privacy import ends
    from privacy.selection import listed, visible_to
    from privacy.sweep import Batch, Due

    now = clock.now()
    person = User.objects.order_by("-pk").first()
    assert person
    Membership.objects.get_or_create(user=person, workspace=person.personal_workspace)
    batch = Batch(deleted=False, at=now)
    due = batch.rows(Conversation).select_for_update(skip_locked=True, of=("self",)).order_by("purge_after")
    yield "due, a chunk of 500", due.values_list(*Due._fields)[:500]
    mine = conversations_of(person).listed().in_lists().filter(workspace=person.personal_workspace)
    yield "beside the chat, the newest 200", mine[:200]
    every = visible_to(person, Conversation)
    yield "all of a person's, a page of 50", listed(every, None).order_by("hidden_from", "pk")[:50]
    soon = listed(every, None, ends.horizon(ends.WEEK, now))
    yield "ending within a week, a page of 50", soon.order_by("hidden_from", "pk")[:50]
    connection.close()


def show(name: str, rows: Any) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        if name.startswith("due"):
            cursor.execute("SET LOCAL enable_sort = off")  # as the sweep asks it
        sql, params = rows.query.sql_with_params()
        for _ in range(2):  # the second time from memory
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]
    entered = [node for node in _nodes(plan["Plan"]) if node.get("Relation Name") == "chat_conversation"]
    pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    how = ", ".join(f"{node['Node Type']} {node.get('Index Name', '')}".strip() for node in entered)
    looked_at = sum(node["Actual Rows"] * node["Actual Loops"] for node in entered)
    name = re.sub(r"\s+", " ", name)
    print(f"{name:40} {plan['Execution Time']:8.2f} ms {pages:8,} pages {looked_at:10,.0f} rows  {how}", flush=True)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


if __name__ == "__main__":
    main()
