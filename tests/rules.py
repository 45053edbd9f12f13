"""The rules of docs/design.md about terms, answers and training, told once more in the plainest words, to hold the
product against. Nothing here is clever, quick or shared with it.
"""

from dataclasses import dataclass, field
from datetime import datetime

ADULT_ANSWERS = ("allow", "deny")


@dataclass(eq=False)
class Version:
    """A version of the terms that is published, or will be."""

    slug: str
    published: datetime
    deadline: datetime | None
    needs_answer: bool = True
    audience: frozenset[str] = frozenset({"free", "pro", "max"})
    effective: datetime | None = None
    moves: list[datetime] = field(default_factory=list)
    standard_days: int = 30
    training_years: int = 5

    @property
    def due(self) -> datetime:
        """Until when it may be left unanswered by people who answered another; without a deadline, not at all."""
        return max([self.deadline or self.published, *self.moves])


@dataclass(eq=False)
class Chat:
    epoch: int | None  # of the permission it was begun under


@dataclass(eq=False)
class Somebody:
    plan: str
    adult: bool
    answered: Version | None = None
    training: str | None = None
    keeps: bool = False
    epoch: int = 0
    before: tuple[str | None, bool] = (None, False)  # what stood before the last answer
    undoable: bool = False
    put_off: dict[str, datetime] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)


def asking(person: Somebody, versions: list[Version], now: datetime) -> list[Version]:
    """Versions that this person has not answered and is asked to, the oldest first."""
    found = [one for one in versions if one.published <= now and one.needs_answer and person.plan in one.audience]
    if person.answered is None:
        return [one for one in found if one.effective is None or one.effective <= now]
    return [one for one in found if one.published > person.answered.published]


def owed(person: Somebody, versions: list[Version], now: datetime) -> Version | None:
    """What an answer given now is an answer to."""
    found = asking(person, versions, now)
    return found[-1] if found else person.answered


def gate(person: Somebody, versions: list[Version], now: datetime) -> tuple[str, str, datetime | None]:
    """What the gate says of the personal workspace, of which version, and until when there is time."""
    found = asking(person, versions, now)
    if person.answered is None:
        return "stop", found[-1].slug if found else "", None
    if not found:
        return "open", "", None
    earliest = min(one.due for one in found)
    return "ask" if now < earliest else "stop", found[-1].slug, earliest


def rests(person: Somebody, versions: list[Version], now: datetime) -> bool:
    """Whether an answer of before is suspended, since newer terms are unanswered at their deadline."""
    return person.answered is not None and gate(person, versions, now)[0] == "stop"


def trains(person: Somebody, chat: Chat, versions: list[Version], now: datetime) -> bool:
    in_epoch = chat.epoch is not None and chat.epoch == person.epoch
    return person.adult and person.training == "allow" and in_epoch and not rests(person, versions, now)


def choose(person: Somebody, to: Version, training: str | None, keeps: bool) -> bool:
    """They answer; says whether there was anything new in it."""
    if (person.answered, person.training, person.keeps) == (to, training, keeps):
        return False
    person.before, person.undoable = (person.training, person.keeps), True
    if training != person.training and "allow" in (training, person.training):
        person.epoch += 1
    person.answered, person.training, person.keeps = to, training, keeps
    return True


def undone(person: Somebody) -> tuple[str | None, bool]:
    """What taking the last answer back would answer instead. Nothing for a first Don't allow: no undoing allows."""
    training, keeps = person.before
    if person.adult and training is None:
        training = "deny" if person.training == "allow" else None
    return training, keeps


def begin(person: Somebody, number: int) -> None:
    person.chats[number] = Chat(person.epoch if person.adult and person.training == "allow" else None)
