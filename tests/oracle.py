"""What holds of every chat of a whole house, told in the plainest words of docs/design.md: how long it stays, whether
it may train, who sees it, and what a restored backup brings back. Terms, answers and the gate are in tests/rules.py.

Nothing is shared with the product. It is a record of what happened, one plain act after the other, and slow.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.rules import Somebody, Version, choose, owed, rests

NOTICE = timedelta(days=30)
UNDO = timedelta(seconds=30)
DELETED = TEMPORARY = timedelta(hours=24)
REVIEWED_YEARS = 2


def years(moment: datetime, number: int) -> datetime:
    """Calendar years later; 29 February becomes the 28th."""
    try:
        return moment.replace(year=moment.year + number)
    except ValueError:
        return moment.replace(year=moment.year + number, day=28)


@dataclass
class Firm:
    """A Work workspace, and what it agreed on."""

    members: set[str]
    days: int | None = None
    trains: bool = False
    epoch: int = 0


@dataclass
class Talk:
    """One chat. `firm` is empty for a personal one; `epoch` is that of the permission it was begun under, if any."""

    author: str
    firm: str
    active: datetime
    epoch: int | None
    temporary: bool = False
    kept: bool = False
    deleted: datetime | None = None
    flagged: datetime | None = None
    held: bool = False
    ends: datetime | None = None  # unless it is deleted
    promised: datetime | None = None  # it does not end before this


@dataclass
class Hold:
    """On a person or a firm by name, or on one chat."""

    person: str = ""
    firm: str = ""
    talk: UUID | None = None


@dataclass
class House:
    """Everybody, everything they wrote, and what happened since the last backup."""

    people: dict[str, Somebody]
    firms: dict[str, Firm]
    versions: list[Version]
    talks: dict[UUID, Talk] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    since_backup: list[tuple[Any, ...]] = field(default_factory=list)

    # --- What holds ---------------------------------------------------------------

    def permitted(self, talk: Talk) -> bool:
        """Whether it may train, but for the time that this lasts and for newer terms that are unanswered."""
        if talk.temporary or talk.deleted or talk.flagged or talk.held or talk.epoch is None:
            return False
        if talk.firm:
            firm = self.firms[talk.firm]
            return firm.trains and talk.epoch == firm.epoch
        person = self.people[talk.author]
        return person.adult and person.training == "allow" and talk.epoch == person.epoch

    def sort(self, talk: Talk) -> str:
        if talk.temporary and not talk.kept:
            return "temporary"
        if talk.firm:
            return "agreement"
        if talk.kept or self.people[talk.author].keeps:
            return "kept"
        return "training" if self.permitted(talk) else "standard"

    def _training_years(self, talk: Talk) -> int:
        answered = None if talk.firm else self.people[talk.author].answered
        return answered.training_years if answered else 5

    def trains_until(self, talk: Talk) -> datetime | None:
        return years(talk.active, self._training_years(talk)) if self.permitted(talk) else None

    def natural_end(self, talk: Talk) -> datetime | None:
        """When its sort ends, whatever was promised."""
        sort, answered = self.sort(talk), self.people[talk.author].answered
        if sort == "kept":
            return None
        if sort == "temporary":
            return talk.active + TEMPORARY
        if sort == "agreement":
            days = self.firms[talk.firm].days
            return talk.active + timedelta(days=days) if days else None
        if sort == "training":
            return years(talk.active, self._training_years(talk))
        return talk.active + timedelta(days=answered.standard_days if answered else 30)

    def hidden_from(self, talk: Talk) -> datetime | None:
        return talk.deleted or talk.ends

    def visible(self, talk: Talk, now: datetime) -> bool:
        """To its author, as long as they are in the workspace."""
        end = self.hidden_from(talk)
        here = not talk.firm or talk.author in self.firms[talk.firm].members
        return here and (end is None or now < end)

    def trains(self, talk: Talk, now: datetime) -> bool:
        until, end = self.trains_until(talk), self.hidden_from(talk)
        if until is None or now >= until or (end is not None and now >= end):
            return False
        return bool(talk.firm) or not rests(self.people[talk.author], self.versions, now)

    def purged_after(self, talk: Talk, now: datetime) -> datetime | None:
        """From when on it is to be purged; None: not."""
        if talk.held:
            return None
        end = talk.deleted + DELETED if talk.deleted else talk.ends
        if end is None:
            return None
        if not talk.deleted and talk.promised and self.sort(talk) != "temporary" and end <= now:
            end = max(end, talk.promised)
        return max(end, years(talk.flagged, REVIEWED_YEARS)) if talk.flagged else end

    def due(self, now: datetime) -> set[UUID]:
        ends = {key: self.purged_after(talk, now) for key, talk in self.talks.items()}
        return {key for key, end in ends.items() if end is not None and end <= now}

    # --- What happens -------------------------------------------------------------

    def settle(self, talk: Talk, now: datetime) -> None:
        """Something about it changed. Its end does not come nearer than thirty days, and what has ended stays so."""
        if talk.deleted or (talk.ends is not None and talk.ends <= now):
            return
        end = self.natural_end(talk)
        if self.sort(talk) == "temporary" or end is None:
            talk.ends = end
            return
        nearer = talk.ends is None or end < talk.ends
        if nearer and end < now + NOTICE:
            talk.promised = min(talk.ends or now + NOTICE, now + NOTICE)
        talk.ends = max(end, talk.promised) if talk.promised else end

    def settle_all(self, now: datetime, *, author: str = "", firm: str = "") -> None:
        for talk in self.talks.values():
            if talk.firm == firm and author in ("", talk.author):
                self.settle(talk, now)

    def write(self, key: UUID, author: str, firm: str, now: datetime, *, temporary: bool = False) -> None:
        """A new chat, or the next message in one."""
        if key not in self.talks:
            talk = Talk(author, firm, now, self._permission(author, firm, now), temporary)
            talk.held = any(hold.person == author or (firm and hold.firm == firm) for hold in self.holds.values())
            talk.active, self.talks[key] = now, talk
            talk.ends = self.natural_end(talk)
            return
        talk = self.talks[key]
        talk.active = now
        end = self.natural_end(talk)
        lasting = self.sort(talk) != "temporary"
        talk.ends = max(end, talk.promised) if end and talk.promised and lasting else end

    def _permission(self, author: str, firm: str, now: datetime) -> int | None:
        person = self.people[author]
        if firm:
            return self.firms[firm].epoch if self.firms[firm].trains and person.adult else None
        allowed = person.adult and person.training == "allow" and not rests(person, self.versions, now)
        return person.epoch if allowed else None

    def choose(self, name: str, training: str | None, keeps: bool, now: datetime) -> None:
        person = self.people[name]
        to = owed(person, self.versions, now)
        if to and choose(person, to, training, keeps):
            self.settle_all(now, author=name)
            self.since_backup.append(("answered", name, training, person.epoch))

    def sign(self, firm: str, days: int | None, trains: bool, now: datetime) -> None:
        agreed = self.firms[firm]
        if trains != agreed.trains:
            agreed.epoch += 1
        agreed.days, agreed.trains = days, trains
        self.settle_all(now, firm=firm)
        self.since_backup.append(("agreed", firm, trains, agreed.epoch))

    def keep(self, key: UUID, kept: bool, now: datetime) -> None:
        talk = self.talks[key]
        if not talk.firm or talk.temporary:
            talk.kept = kept
            self.settle(talk, now)

    def delete(self, key: UUID, at: datetime) -> None:
        """The end that it had is remembered, as far as it is not a month away."""
        talk = self.talks[key]
        talk.promised = min(talk.ends or at + NOTICE, at + NOTICE)
        talk.deleted = at
        self.since_backup.append(("deleted", key, at))

    def undelete(self, key: UUID, now: datetime) -> None:
        talk = self.talks[key]
        assert talk.deleted and talk.promised
        talk.ends = None if talk.promised == talk.deleted + NOTICE else talk.promised
        talk.deleted = talk.promised = None
        self.settle(talk, now)
        self.since_backup.append(("restored", key))

    def flag(self, key: UUID, now: datetime) -> None:
        self.talks[key].flagged = now
        self.settle(self.talks[key], now)
        self.since_backup.append(("flag", key))

    def unflag(self, key: UUID, now: datetime) -> None:
        self._give_notice(self.talks[key], now)
        self.talks[key].flagged = None
        self.settle(self.talks[key], now)
        self.since_backup.append(("unflag", key))

    def hold(self, number: int, hold: Hold, now: datetime) -> None:
        self.holds[number] = hold
        self.since_backup.append(("hold", number, hold))
        for key, talk in self.talks.items():
            if self._covers(hold, key, talk):
                talk.held = True
                self.settle(talk, now)

    def release(self, number: int, now: datetime) -> None:
        released = self.holds.pop(number)
        self.since_backup.append(("release", number))
        for key, talk in self.talks.items():
            if not self._covers(released, key, talk):
                continue
            if talk.held and not any(self._covers(hold, key, talk) for hold in self.holds.values()):
                self._give_notice(talk, now)
                talk.held = False
            self.settle(talk, now)

    def _covers(self, hold: Hold, key: UUID, talk: Talk) -> bool:
        return hold.talk == key or hold.person == talk.author or bool(hold.firm and hold.firm == talk.firm)

    def _give_notice(self, talk: Talk, now: datetime) -> None:
        """Lifting a hold or a review is no act of its author's: it stays for thirty days more, hidden or not."""
        if not talk.deleted and talk.ends is not None and talk.ends < now + NOTICE:
            talk.promised = max(talk.promised or now, now + NOTICE)

    def purge(self, keys: set[UUID], now: datetime) -> None:
        for key in keys:
            del self.talks[key]
        self.since_backup.append(("purged", keys, now))

    # --- Backups --------------------------------------------------------------------

    def backup(self) -> "House":
        self.since_backup = []
        return deepcopy(self)

    def restored(self, backup: "House", now: datetime) -> "House":
        """`backup` with what happened since: nothing is allowed by it, and what was lifted stays."""
        house, happened = deepcopy(backup), self.since_backup
        released = {one[1] for one in happened if one[0] == "release"}
        reviewed = {one[1] for one in happened if one[0] == "unflag"}
        for kind, what, *more in happened:
            if kind == "hold" and what not in released:
                house._held_anew(what, more[0], now)
            elif kind == "flag" and what not in reviewed and what in house.talks:
                house._flagged_before(what, now)
            elif kind == "deleted" and what in house.talks and not house.talks[what].deleted:
                house.delete(what, more[0])
            elif kind == "restored" and what in house.talks and house.talks[what].deleted:
                house.undelete(what, now)
            elif kind == "answered":
                house._answer_unknown(what, more[0], more[1], now)
            elif kind == "agreed":
                house._signature_unknown(what, more[0], more[1], now)
        for kind, what, *more in happened:
            if kind == "purged":
                for key in what & house.talks.keys():
                    house._purged_before(key, more[0])
        return house

    def _purged_before(self, key: UUID, at: datetime) -> None:
        """Gone again, unless a hold or a review that still stands in the backup keeps it: hidden then."""
        talk = self.talks[key]
        if not talk.held and not talk.flagged:
            del self.talks[key]
        elif not talk.deleted:
            self.delete(key, at)

    def _held_anew(self, number: int, hold: Hold, now: datetime) -> None:
        if hold not in self.holds.values() and (hold.talk is None or hold.talk in self.talks):
            self.hold(-1 - number, hold, now)

    def _flagged_before(self, key: UUID, now: datetime) -> None:
        """Of the review there is nothing left: it is held until staff has looked again."""
        if not self.talks[key].flagged and Hold(talk=key) not in self.holds.values():
            self.hold(-1 - key.int, Hold(talk=key), now)

    def _answer_unknown(self, name: str, training: str | None, epoch: int, now: datetime) -> None:
        person = self.people[name]
        if person.answered and not (person.epoch >= epoch and person.training == training):
            person.training, person.epoch = "deny", max(person.epoch, epoch) + 1
            self.settle_all(now, author=name)

    def _signature_unknown(self, name: str, trains: bool, epoch: int, now: datetime) -> None:
        firm = self.firms[name]
        if not (firm.epoch >= epoch and firm.trains == trains):
            firm.trains, firm.epoch = False, max(firm.epoch, epoch) + 1
            self.settle_all(now, firm=name)
