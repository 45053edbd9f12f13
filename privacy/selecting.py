"""Picking chats in the list: the form, and what would follow from an act on them, counted before it is done."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import clock
from privacy import policy
from privacy.badge import day
from privacy.consequences import number
from privacy.forms import Tick
from privacy.selection import Selection
from privacy.standings import standing_of
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from accounts.models import User


class SelectionForm(forms.Form):
    """What was picked, and what for. Without a tick nothing is picked: "all" is a tick of its own."""

    act = forms.ChoiceField(choices=[(act, act) for act in ("keep", "let_go")])
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
        wanted = self.data.get("class", "")
        return RetentionClass(wanted) if wanted in list(RetentionClass) else None

    def selection(self, user: "User") -> Selection:
        said = self.cleaned_data
        return Selection(user, None, self.one, said["at"]) if said["all"] else Selection(user, said["keys"])


def foretold_of_letting_go(chosen: Selection) -> dict[str, Any]:
    kept = [rows.filter(kept=True) for _, rows in chosen.rows()]
    count = sum(rows.count() for rows in kept)
    temporary = sum(rows.filter(temporary=True).count() for rows in kept)
    title = ngettext("Let %(count)s chat go?", "Let %(count)s chats go?", count) % {"count": number(count)}
    return {"title": title, "lines": list(_after(chosen, count, temporary)), "count": count}


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
