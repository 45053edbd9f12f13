"""What would follow from an answer, in words: said beside both answers alike, before anybody confirms one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy import foresight, policy
from privacy.badge import day
from privacy.foresight import Alike, End, Outcome, Use
from privacy.policy import Flags, Schedule, Standing
from privacy.prose import how_long, may_train, never_trains
from privacy.vocabulary import Training


@dataclass(frozen=True)
class Foretold:
    """What would follow from an answer, with the history kept or without."""

    kept: bool
    new: str  # of chats to come
    lines: list[str]  # of those that are there


@dataclass(frozen=True)
class Consequences:
    """What answers would do to the chats of one person. `today` is the schedule now, `schedule` that of the answer."""

    chats: Sequence[Alike]
    standing: Standing
    today: Schedule
    schedule: Schedule

    def of(self, training: Training | None, *, keep_history: bool) -> Foretold:
        """What would follow from this answer."""
        then = foresight.after(self.standing, training, keep_history=keep_history)
        return Foretold(keep_history, _new_chats(then, self.schedule), list(self._lines(then)))

    def of_each_history(self, training: Training) -> list[Foretold]:
        """The same with the history kept and without; a page shows the one that fits what is ticked."""
        return [self.of(training, keep_history=kept) for kept in (False, True)]

    def of_history(self) -> str:
        """What would follow from keeping the history, or no longer, if the answer stays; empty where nothing would."""
        then = foresight.after(self.standing, self.standing.training, keep_history=not self.standing.keep_history)
        changed = [one for one in self._outcomes(then) if one.end in (End.COMES, End.GOES)]
        count, ends = sum(one.count for one in changed), [one.until for one in changed if one.until]
        if not count:
            return ""
        if then.keep_history:
            return _loses_an_end(count)
        return _gets_an_end(count, min(ends)) + " " + _("No end comes nearer than 30 days from now.")

    def _outcomes(self, then: Standing) -> list[Outcome]:
        return foresight.outcomes(self.chats, self.standing, then, today=self.today, schedule=self.schedule)

    def _lines(self, then: Standing) -> Iterator[str]:
        found = sorted(self._outcomes(then), key=lambda one: (ORDER.index(one.use), one.end))
        untrained = sum(one.count for one in found if one.use is Use.NONE)
        same = sum(one.count for one in found if (one.use, one.end) == (Use.NONE, End.STAYS))
        begun_before = then.training is Training.ALLOW and then.epoch != self.standing.epoch
        if begun_before and untrained:
            yield _none_trains(untrained)
        for one in found:
            if (one.use, one.end) != (Use.NONE, End.STAYS):
                yield _line(one, could_be_kept=not then.keep_history)
        if same and not (begun_before and same == untrained):
            yield _same(same)


ORDER = [Use.STOPS, Use.RESUMES, Use.GOES_ON, Use.NONE]


# --- Words ------------------------------------------------------------------------


def _new_chats(then: Standing, schedule: Schedule) -> str:
    """What holds for chats begun from now on."""
    grown = then.training is not None
    ruled = policy.rule(Flags(personal=True, in_epoch=True, begun_as_adult=grown), then, schedule)
    if ruled.trains and ruled.lifetime:
        return may_train(ruled.lifetime)
    if ruled.trains:
        said = _("Chats begun from now on may be used to train models, until %(time)s after their last message.")
        return said % {"time": how_long(schedule.training)} + " " + _("They stay until you delete them.")
    if ruled.lifetime:
        return never_trains(ruled.lifetime)
    return _("Your chats are not used to train models. They stay until you delete them.")


def _line(one: Outcome, *, could_be_kept: bool) -> str:
    if one.use is Use.NONE:
        return _ends(one)
    return f"{_use(one)} {_end(one, could_be_kept)}".strip()


def _use(one: Outcome) -> str:
    said = {
        Use.STOPS: ngettext(
            "%(count)s chat would no longer be used for training.",
            "%(count)s chats would no longer be used for training.",
            one.count,
        ),
        Use.RESUMES: ngettext(
            "%(count)s chat may be used for training again.",
            "%(count)s chats may be used for training again.",
            one.count,
        ),
        Use.GOES_ON: ngettext(
            "%(count)s chat may go on being used for training.",
            "%(count)s chats may go on being used for training.",
            one.count,
        ),
    }[one.use]
    return said % {"count": number(one.count)}


def _end(one: Outcome, could_be_kept: bool) -> str:
    if one.end is End.STAYS and one.use is not Use.STOPS:
        return ""
    if one.until is None:
        return ngettext("It stays until you delete it.", "They stay until you delete them.", one.count)
    said = (
        ngettext(
            "It stays until %(day)s, or longer if you keep your history.",
            "They stay until %(day)s at the earliest, or longer if you keep your history.",
            one.count,
        )
        if could_be_kept
        else ngettext("It stays until %(day)s.", "They stay until %(day)s at the earliest.", one.count)
    )
    return said % {"day": day(one.until)}


def _ends(one: Outcome) -> str:
    if one.until is None:
        return _loses_an_end(one.count)
    return _moves_its_end(one.count, one.until) if one.end is End.MOVES else _gets_an_end(one.count, one.until)


def _moves_its_end(count: int, first: datetime) -> str:
    said = ngettext(
        "For %(count)s chat these terms count another time: it would end on %(day)s.",
        "For %(count)s chats these terms count another time: the first would end on %(day)s.",
        count,
    )
    return said % {"count": number(count), "day": day(first)}


def _gets_an_end(count: int, first: datetime) -> str:
    said = ngettext("%(count)s chat would end on %(day)s.", "%(count)s chats would end, the first on %(day)s.", count)
    return said % {"count": number(count), "day": day(first)}


def _loses_an_end(count: int) -> str:
    said = ngettext(
        "%(count)s chat would have no end any more and stay until you delete it.",
        "%(count)s chats would have no end any more and stay until you delete them.",
        count,
    )
    return said % {"count": number(count)}


def _none_trains(count: int) -> str:
    said = ngettext(
        "Your %(count)s chat of today would not train: it was begun before.",
        "None of your %(count)s chats of today would train: they were begun before.",
        count,
    )
    return said % {"count": number(count)}


def _same(count: int) -> str:
    said = ngettext("Nothing changes for %(count)s chat.", "Nothing changes for %(count)s chats.", count)
    return said % {"count": number(count)}


def number(count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)
