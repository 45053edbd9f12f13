"""What a verdict on a conversation follows from: the person's own answer with its receipt, or at work the version of
the agreement and who signed it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from privacy.badge import moment
from privacy.choices import TRAINING_ACTS
from privacy.explaining import reason_of
from privacy.models import Event, Tagged
from privacy.policy import Standing
from privacy.vocabulary import Act, Reason, RetentionClass, Training
from privacy.work import version_in_force

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import User

OWN_ANSWER = (Reason.ALLOWED, Reason.DENIED, Reason.BEGUN_BEFORE)
OWNERS_ANSWER = (Reason.AGREED, Reason.AGREEMENT, Reason.BEGUN_BEFORE)


@dataclass(frozen=True)
class Because:
    """The answer in words, and the page that proves it, under a name of its own."""

    text: str
    url: str = ""
    link: str = ""


def of_keeping(row: Tagged, user: "User", standing: Standing) -> Because | None:
    """What says how long `row` is kept; None where that is no answer of anybody, or the one on training."""
    if row.tag_class == RetentionClass.AGREEMENT:
        return _agreement(row)
    if row.tag_class == RetentionClass.KEPT and standing.keep_history:
        wish = Event.objects.of(user).filter(act=Act.HISTORY_KEPT).first()
        if wish:
            return _receipt(_("You asked to keep your history on %(at)s.") % {"at": moment(wish.at)}, wish.key)
    return None


def of_training(row: Tagged, user: "User", standing: Standing) -> Because | None:
    """What says whether `row` may train; None where nobody's answer counts, or there is none."""
    reason = reason_of(row.facts(standing).flags, standing, row.agreement)
    if not row.workspace.is_personal:
        return _agreement(row) if reason in OWNERS_ANSWER else None
    if reason not in OWN_ANSWER:
        return None
    answer = Event.objects.of(user).filter(act__in=TRAINING_ACTS).first()
    if answer is None:
        return None
    chosen = Training.ALLOW if answer.act == Act.TRAINING_ALLOWED else Training.DENY
    said = _("You chose “%(answer)s” on %(at)s.") % {"answer": chosen.words, "at": moment(answer.at)}
    if reason is Reason.BEGUN_BEFORE:
        said += " " + _("This chat was begun on %(at)s.") % {"at": moment(row.begun_at)}
    return _receipt(said, answer.key)


def _receipt(text: str, key: "UUID") -> Because:
    return Because(text, reverse("privacy:receipt", args=[key]), _("Receipt"))


def _agreement(row: Tagged) -> Because:
    page = {"url": reverse("privacy:work", args=[row.workspace.public_id]), "link": _("The agreement")}
    version = version_in_force(row.workspace)
    if version is None:
        return Because(_("Nobody has signed an agreement there."), **page)
    signed = {"at": moment(version.signed_at), "who": version.by}
    if version.by:
        return Because(_("By the agreement of %(at)s, signed by %(who)s.") % signed, **page)
    return Because(_("By the agreement of %(at)s, signed by an owner whose account is gone.") % signed, **page)
