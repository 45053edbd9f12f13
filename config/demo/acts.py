"""What people of the demonstration do, each by the product's own act and at the moment that the clock says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from accounts.models import User
from config.demo import conversations
from config.demo.conversations import Talk
from privacy import choices, notices, standings
from privacy.choices import Circumstances
from privacy.gate import gate_for
from privacy.models import Notice, Terms
from privacy.vocabulary import Source, Training


@dataclass(frozen=True)
class Step:
    """Something that somebody does at a moment."""

    at: datetime
    does: Callable[[User], object]


def sees(at: datetime, source: Source = Source.DIALOG, *, gpc: bool = False) -> Step:
    """They are shown the question."""
    return Step(at, partial(_see, source=source, gpc=gpc))


def answers(
    at: datetime,
    training: Training,
    *,
    keep_history: bool | None = None,
    source: Source = Source.DIALOG,
    gpc: bool = False,
) -> Step:
    """They answer it. Whoever is not of age is asked for no answer on training and gives none; whose answer an operator
    takes over was shown nothing here."""
    return Step(at, partial(_answer, training=training, keep_history=keep_history, source=source, gpc=gpc))


def puts_off(at: datetime) -> Step:
    """They say "Not now"."""
    return Step(at, _put_off)


def changes(at: datetime, training: Training) -> Step:
    """They change their answer on the privacy page, unasked."""
    return Step(at, partial(_change, training=training))


def says(at: datetime, talk: Talk) -> Step:
    """They ask something and read the answer."""
    return Step(at, partial(conversations.lay, talk=talk))


# --- The acts -----------------------------------------------------------------


def _owed(person: User) -> Terms:
    return Terms.objects.get(slug=gate_for(person, person.personal_workspace).terms)


def _see(person: User, source: Source, gpc: bool = False) -> Notice:
    terms = _owed(person)
    form, _ = notices.form_for(person, terms, source)
    return notices.shown(person, terms, form, gpc=gpc)


def _seen(person: User, source: Source, gpc: bool = False) -> Notice:
    """What they were last shown there; if nothing yet, they are shown it now."""
    seen = Notice.objects.filter(user=person, source=source).select_related("terms").order_by("-pk").first()
    return seen or _see(person, source, gpc)


def _answer(person: User, training: Training, keep_history: bool | None, source: Source, gpc: bool) -> None:
    notice = None if source is Source.OPERATOR else _seen(person, source, gpc)
    choices.choose(
        user=person,
        terms=notice.terms if notice else _owed(person),
        training=training if choices.is_asked(person) else None,
        keep_history=keep_history,
        source=source,
        given=Circumstances(notice, gpc, despite_gpc=gpc and training is Training.ALLOW),
    )


def _put_off(person: User) -> None:
    notices.defer(person, _seen(person, Source.DIALOG))


def _change(person: User, training: Training) -> None:
    terms = standings.owed_terms(person)
    assert terms is not None
    choices.choose(user=person, terms=terms, training=training, keep_history=None, source=Source.SETTINGS)
