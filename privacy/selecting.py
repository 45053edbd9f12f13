"""Picking chats in the list: the form, and what would follow from an act on them, counted before it is done."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import clock
from privacy import ends, policy
from privacy.badge import day
from privacy.consequences import number
from privacy.deleting import UNDO
from privacy.forms import Tick
from privacy.selection import Selection
from privacy.standings import standing_of
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from accounts.models import User


def class_of(said: Mapping[str, Any]) -> RetentionClass | None:
    """The class that is named; what names none means all."""
    wanted = said.get("class", "")
    return RetentionClass(wanted) if wanted in list(RetentionClass) else None


def within_of(said: Mapping[str, Any]) -> int | None:
    """In how many days the chats end that the list is of; what names none of the choices means whenever."""
    wanted = said.get("within", "")
    return next((days for days in ends.CHOICES if str(days) == wanted), None)


def moment_of(said: str | None) -> datetime | None:
    """A moment with its zone; None for anything else."""
    try:
        at = datetime.fromisoformat(said or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


SECONDS = {"seconds": int(UNDO.total_seconds())}


class SelectionForm(forms.Form):
    """What was picked, and what for. Without a tick nothing is picked: "all" is a tick of its own."""

    act = forms.ChoiceField(choices=[(act, act) for act in ("keep", "let_go", "delete")])
    all = forms.BooleanField(required=False, widget=Tick)
    at = forms.DateTimeField(required=False)  # when the list was made: what was begun since was not counted
    confirmed = forms.BooleanField(required=False, widget=Tick)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        try:
            found["keys"] = frozenset(UUID(key) for key in self.data.getlist("chat"))  # type: ignore[attr-defined]
        except ValueError:
            raise forms.ValidationError(_("One of these is no chat.")) from None
        if found.get("all") and not found.get("at"):
            self.add_error("at", _("The list has no time."))
        if not found["keys"] and not found.get("all"):
            self.add_error(None, _("Nothing is picked."))
        return found

    @property
    def one(self) -> RetentionClass | None:
        """The class that the list was of; None: of all."""
        return class_of(self.data)

    @property
    def within(self) -> int | None:
        """In how many days those end that the list was of; None: whenever."""
        return within_of(self.data)

    def selection(self, user: "User") -> Selection:
        said = self.cleaned_data
        if not said["all"]:
            return Selection(user, said["keys"])
        # As of when the list was made: past midnight it would be of one day more.
        before = ends.horizon(self.within, said["at"]) if self.within else None
        return Selection(user, None, self.one, said["at"], before)


def foretold_of_letting_go(chosen: Selection) -> dict[str, Any]:
    kept = [rows.filter(kept=True) for _, rows in chosen.rows()]
    count = sum(rows.count() for rows in kept)
    temporary = sum(rows.filter(temporary=True).count() for rows in kept)
    title = ngettext("Let %(count)s chat go?", "Let %(count)s chats go?", count) % {"count": number(count)}
    return {"title": title, "lines": list(_after(chosen, count, temporary)), "count": count}


def foretold_of_deleting(chosen: Selection) -> dict[str, Any]:
    count = chosen.count()
    title = ngettext("Delete %(count)s chat?", "Delete %(count)s chats?", count) % {"count": number(count)}
    if not count:
        return {"title": title, "lines": [_("There is nothing left to delete.")], "count": 0}
    lines = [_("They disappear at once, wherever they are open, and never train models from that moment.")]
    if kept := sum(rows.filter(kept=True).count() for _holding, rows in chosen.rows()):
        said = ngettext("%(count)s of them you have kept.", "%(count)s of them you have kept.", kept)
        lines.append(said % {"count": number(kept)})
    back = _("For %(seconds)s seconds you can take it back as a whole. Soon after they are gone for good.")
    lines.append(back % SECONDS)
    return {"title": title, "lines": lines, "count": count}


def _after(chosen: Selection, count: int, temporary: int) -> "list[str]":
    if not count:
        return [_("None of these is kept by itself.")]
    lines = []
    if standing_of(chosen.user).keep_history:
        lines.append(_("You keep your whole history: they stay all the same, until you let that go."))
    else:
        first = {"day": day(clock.now() + policy.NOTICE)}
        lines.append(_("They get the end that your answers give them. None ends before %(day)s.") % first)
    if temporary:
        said = ngettext(
            "%(count)s was begun as temporary: it disappears soon after its last message, perhaps at once.",
            "%(count)s were begun as temporary: they disappear soon after their last message, perhaps at once.",
            temporary,
        )
        lines.append(said % {"count": number(temporary)})
    return lines
