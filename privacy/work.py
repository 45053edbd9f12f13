"""The page of a Work workspace's agreement: what would follow from another one, counted, and who signed which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import clock
from accounts.models import Workspace
from privacy import tagging
from privacy.badge import day
from privacy.consequences import number
from privacy.forms import Tick
from privacy.holdings import tagged_holdings
from privacy.models import Agreement, Event, Subject, agreement_of
from privacy.models.agreement import LONGEST
from privacy.policy import Duration
from privacy.prose import how_long

PLEASE = {"required": gettext_lazy("Please choose one of the two.")}


class AgreementForm(forms.Form):
    """Two questions; training is preselected to neither answer."""

    retention = forms.ChoiceField(choices=[("never", "never"), ("days", "days")], error_messages=PLEASE)
    days = forms.IntegerField(required=False, validators=[MinValueValidator(1), MaxValueValidator(LONGEST)])
    training = forms.ChoiceField(choices=[("off", "off"), ("on", "on")], error_messages=PLEASE)
    seen = forms.IntegerField(required=False)
    confirmed = forms.BooleanField(required=False, widget=Tick)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if said.get("retention") == "days" and not said.get("days") and "days" not in self.errors:
            self.add_error("days", _("Please say after how many days."))
        return said

    @property
    def retention_days(self) -> int | None:
        return self.cleaned_data["days"] if self.cleaned_data["retention"] == "days" else None

    @property
    def trains(self) -> bool:
        return bool(self.cleaned_data["training"] == "on")


def foretold(workspace: Workspace, retention_days: int | None, *, training: bool) -> list[str]:
    """What would follow for everything written there, whoever wrote it; numbers only."""
    now, chats, trainable = clock.now(), 0, 0
    first: datetime | None = None
    for _holding, model in tagged_holdings():
        rows: Any = model._default_manager.filter(workspace=workspace, temporary=False)
        chats += rows.visible(now).count()
        trainable += rows.trainable(now).count()
        if retention_days:
            end = tagging.end_under(Duration(days=retention_days), now)
            ends = rows.visible(now).aggregate(first=Min(end))["first"]
            first = min([one for one in (first, ends) if one], default=None)
    lines = [_stays(chats, retention_days, first), _use(chats, trainable, training, agreement_of(workspace).training)]
    if training:
        lines.append(_("What people under age write, or people whose age is not known here, never trains models."))
    return lines


def _stays(chats: int, retention_days: int | None, first: datetime | None) -> str:
    if not retention_days:
        said = ngettext(
            "%(count)s chat of today would have no end, and so would new ones.",
            "%(count)s chats of today would have no end, and so would new ones.",
            chats,
        )
        return said % {"count": number(chats)}
    lasts = {"count": number(chats), "time": how_long(Duration(days=retention_days))}
    if first is None:
        return _("New chats would be kept for %(time)s after their last message.") % lasts
    said = ngettext(
        "%(count)s chat of today and all new ones would be kept for %(time)s after their last message; it ends on "
        "%(day)s at the earliest.",
        "%(count)s chats of today and all new ones would be kept for %(time)s after their last message; the first of "
        "them ends on %(day)s.",
        chats,
    )
    return said % {**lasts, "day": day(first)}


def _use(chats: int, trainable: int, training: bool, before: bool) -> str:
    if not training:
        said = ngettext(
            "%(count)s chat may train models today; none would any more.",
            "%(count)s chats may train models today; none would any more.",
            trainable,
        )
        return said % {"count": number(trainable)} if trainable else _("Nothing written there would train models.")
    if before:
        return _("Chats begun since an owner first said so may go on being used to train models.")
    said = ngettext(
        "Whatever members begin from then on may be used to train models. %(count)s chat of today never is.",
        "Whatever members begin from then on may be used to train models. The %(count)s chats of today never are.",
        chats,
    )
    return said % {"count": number(chats)}


@dataclass(frozen=True)
class Version:
    """One version as a member reads it; `by` is empty for somebody whose account is gone."""

    signed_at: datetime
    kept: str
    training: bool
    by: str


def versions_of(workspace: Workspace) -> list[Version]:
    """Every version, the newest first, with who signed it; three queries."""
    return _read(list(Agreement.objects.filter(workspace=workspace)))


def version_in_force(workspace: Workspace) -> Version | None:
    """The newest version, with who signed it; None where nobody has signed any."""
    return next(iter(_read(list(Agreement.objects.filter(workspace=workspace)[:1]))), None)


def _read(signed: Sequence[Agreement]) -> list[Version]:
    subjects = dict(Event.objects.filter(key__in=[one.event for one in signed]).values_list("key", "subject"))
    people = {
        one.key: one.user.get_short_name()
        for one in Subject.objects.filter(key__in=subjects.values()).select_related("user")
    }
    return [
        Version(
            one.signed_at,
            how_long(one.lifetime) if one.lifetime else "",
            one.training,
            people.get(subjects.get(one.event), ""),  # type: ignore[arg-type]
        )
        for one in signed
    ]
