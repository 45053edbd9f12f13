"""People who leave: somebody with something in every place, and where anything of them is found."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import clock
from accounts.models import Membership, User
from accounts.sessions import SessionStore
from privacy import erasure, leaving, notices, tasks
from privacy.models import (
    Appeal,
    Deletion,
    ExpiryNotice,
    ExpirySetting,
    Export,
    Flag,
    Letter,
    Reader,
    Reading,
    Reminder,
    Retagging,
)
from privacy.vocabulary import Source, Training
from tests.people import alice, stella, works
from tests.scenes import answered, asked_in, decided, published
from tests.sockets import signed_in
from tests.thumbs import rated

CANARY = "xanthic-canary"


def settled(**details: Any) -> User:
    """Alice, with something in every place that can hold something of a person."""
    person = alice(display_name="Quillon Fenwick", **details)
    decided(person, Training.ALLOW, keep_history=True)
    held = answered(person, f"Remember the {CANARY}.", f"The {CANARY} is kept in mind.").conversation
    rated(person, held, True, f"The {CANARY} was kept in mind.")
    Membership.objects.create(user=person, workspace=works())
    asked_in(person, works(), "What is due on Friday?")
    signed_in(person)
    terms = published()
    notices.defer(person, notices.shown(person, terms, notices.form_for(person, terms, Source.DIALOG)[0]))
    deadline = clock.now() + timedelta(days=30)
    Reminder.objects.create(user=person, terms=terms, deadline=deadline, days=3, message_id="<alice@parley>")
    ExpiryNotice.objects.create(
        user=person, day=deadline.date(), week_until=deadline, day_until=deadline, message_id="<ends@parley>"
    )
    ExpirySetting.objects.create(user=person, mails=False)
    Export.objects.create(user=person)
    Deletion.objects.create(user=person, key=uuid4(), deleted_at=clock.now(), purged_at=clock.now())
    Retagging.objects.create(workspace=works(), author=person, finished_at=clock.now())
    about = {"kind": "chat.conversation", "key": uuid4()}
    told = {"person": person, "reason": "Routine", "told": "We looked at one of your chats."}
    flag = Flag.objects.create(**about, **told, released_at=clock.now(), release_reason="Nothing in it")
    Appeal.objects.create(flag=flag, text="It is mine.", answer=Appeal.Answer.GRANTED, answered_at=clock.now())
    Letter.objects.create(user=person, what=Letter.What.ENDED, about=flag.public_id, message_id="<review@parley>")
    Reader.objects.create(flag=flag, user=person)
    Reading.objects.create(**about, reader=person, under="flag 1")
    LogEntry.objects.log_actions(stella().pk, [person], 2, single_object=True)
    return person


def erased(person: User) -> None:
    leaving.leave(user=person)
    assert erasure.erase(person.pk)


def found(word: str) -> set[str]:
    """The columns of all tables that hold `word` somewhere, once the log outside the database has what it waits for."""
    tasks.log_deletions()
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
        hits = set()
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT 1 FROM "{table}" WHERE "{column}"::text ILIKE %s LIMIT 1', [f"%{word}%"])
            if cursor.fetchone():
                hits.add(f"{table}.{column}")
    return hits


def in_sessions(person: User) -> list[dict[str, Any]]:
    """Sessions are encoded, so that no search finds what is in them."""
    said = [SessionStore().decode(row.session_data) for row in Session.objects.all()]
    return [one for one in said if str(person.pk) == one.get("_auth_user_id") or person.email in str(one)]
