"""Appealing against a review, once, by the conversation's author; and staff's answer that the review goes on.

Ending the review (privacy/flagging.py) grants an appeal. An appeal's text is the person's: it is in their file, and
goes with the conversation or with them. The ledger knows that there was one, and nothing of what it says.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from privacy import ledger, letters
from privacy.flagging import AlreadyEnded, held
from privacy.holdings import tell_standing_changed
from privacy.models import Appeal, Flag, Letter
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from collections.abc import Mapping


class AlreadyAppealed(Exception):
    """There is one appeal against each flag."""


class AlreadyAnswered(Exception):
    """Somebody has answered this appeal before."""


@transaction.atomic
def appeal(user: User, *, review: UUID, text: str, context: "Mapping[str, str] | None" = None) -> Appeal:
    """Say something against a review that stands. Raises NotFound for anybody else's, AlreadyEnded, AlreadyAppealed."""
    # The person first, as in a turn: who is leaving at this moment leaves nothing behind.
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
    flag = Flag.objects.of(user).filter(public_id=review, person__is_active=True).first()
    if flag is None:
        raise NotFound
    flag = held(flag)
    if Appeal.objects.filter(flag=flag).exists():
        raise AlreadyAppealed
    now = clock.now()
    made = Appeal.objects.create(flag=flag, text=text.strip(), made_at=now)
    said = {"flag": flag.pk}
    ledger.record(Act.APPEALED, source=Source.SETTINGS, subject=user, actor=user, detail=said, context=context, at=now)
    tell_standing_changed(user.pk)
    return made


@transaction.atomic
def uphold(appeal: Appeal, *, told: str, by: User) -> Appeal:
    """Answer that the review goes on, and why. Raises AlreadyAnswered, AlreadyEnded, NotFound."""
    flag = held(appeal.flag)
    answered = Appeal.objects.get(flag=flag)
    if answered.answered_at:
        raise AlreadyAnswered
    answered.answer, answered.told, answered.answered_at = Appeal.Answer.UPHELD, told.strip(), clock.now()
    answered.save(update_fields=["answer", "told", "answered_at"])
    ledger.record(Act.APPEAL_UPHELD, source=Source.ADMIN, actor=by, detail={"flag": flag.pk})
    if flag.person:
        letters.write(flag.person, Letter.What.UPHELD, about=flag.public_id)
        tell_standing_changed(flag.person.pk)
    return answered


__all__ = ["AlreadyAnswered", "AlreadyAppealed", "AlreadyEnded", "appeal", "uphold"]
