"""Acts on a whole conversation that no gate ever closes: rename, show a branch, keep, let go, delete and its undo."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from chat import access
from chat.errors import BadText
from chat.journal import control
from chat.models import Conversation, Message
from chat.models.conversation import TITLE_LENGTH, TitleSource
from chat.rendering.plain import title_of
from chat.turns import effects
from chat.turns.stop import end_answers
from privacy import keeping, retagging, standings, tagging
from privacy.deleting import UNDO
from privacy.models import Standing
from privacy.selection import Selection

if TYPE_CHECKING:
    from accounts.models import User


def rename(user: "User", *, conversation: UUID, title: str) -> Conversation:
    """Give a title by hand; the model never replaces it. Raises BadText for an empty one, and where there is none."""
    held = access.conversation_for(user, conversation)
    if held.is_unlisted:
        raise BadText("A temporary chat has no title. Keep it first.")
    title = " ".join(title.replace("\x00", "").split())[:TITLE_LENGTH]
    if not title:
        raise BadText("A title needs at least one character.")
    held.title, held.title_source = title, TitleSource.HAND
    Conversation.objects.filter(pk=held.pk).update(title=title, title_source=TitleSource.HAND)
    effects.conversation_changed(held, "title")
    return held


def show_branch(user: "User", *, message: UUID) -> Conversation:
    """Show the branch that runs through `message`: down from it, always the newest child."""
    chosen = access.message_for(user, message)
    held = chosen.conversation
    newest_child: dict[int | None, Message] = {}
    for row in held.messages.order_by("pk").only("pk", "parent_id"):
        newest_child[row.parent_id] = row
    leaf = chosen
    while child := newest_child.get(leaf.pk):
        leaf = child
    held.leaf_id = leaf.pk
    Conversation.objects.filter(pk=held.pk).update(leaf=leaf)
    effects.conversation_changed(held, "branch")
    return held


@transaction.atomic
def keep(user: "User", *, conversation: UUID) -> Conversation:
    """Keep it until it is let go or deleted, whatever was chosen. It trains no more than before."""
    held = access.conversation_for(user, conversation)
    keeping.keep(Selection(user, frozenset([held.public_id])))
    if held.temporary and not held.title:
        held.title = title_of(_first_question(held))
        Conversation.objects.filter(pk=held.pk).update(title=held.title)
        effects.title_wanted(held)
    return held


def _first_question(held: Conversation) -> str:
    """What the conversation began with."""
    first = held.messages.filter(role=Message.Role.USER).order_by("pk").first()
    return first.text if first else ""


@transaction.atomic
def let_go(user: "User", *, conversation: UUID) -> Conversation:
    """Keep it no longer; its end does not come nearer than thirty days. A temporary one has no title again."""
    held = access.conversation_for(user, conversation)
    keeping.let_go(Selection(user, frozenset([held.public_id])))
    if held.temporary:
        held.title, held.title_source = "", TitleSource.QUESTION
        Conversation.objects.filter(pk=held.pk).update(title=held.title, title_source=held.title_source)
    return held


@transaction.atomic
def delete(user: "User", *, conversation: UUID) -> Conversation:
    """Delete: invisible and out of training from this moment, running answers end, purged within the promised time."""
    held = access.conversation_for(user, conversation)
    _set_deleted(user, held, deleted=True)
    end_answers(Conversation.objects.filter(pk=held.pk))
    effects.after_commit(lambda: control.publish("gone", user=user.pk, conversation=held.public_id))
    return held


@transaction.atomic
def undelete(user: "User", *, conversation: UUID) -> Conversation:
    """Take a deletion back within moments of it; NotFound once those have passed."""
    held = (
        Conversation.objects.select_related("workspace")
        .filter(author=user, workspace__memberships__user=user, deleted_at__gt=clock.now() - UNDO)
        .filter(public_id=conversation)
        .first()
    )
    if held is None:
        raise NotFound
    _set_deleted(user, held, deleted=False)
    effects.conversation_changed(held, "turn")
    return held


def _set_deleted(user: "User", held: Conversation, *, deleted: bool) -> None:
    row = Standing.objects.for_turn(user.pk)
    schedule = standings.schedule_for_turn(held.workspace, row)
    rows = Conversation.objects.select_for_update(of=("self",)).select_related("workspace")
    try:
        held.refresh_from_db(from_queryset=rows)
    except Conversation.DoesNotExist:  # purged meanwhile
        raise NotFound from None
    retagging.catch_up_one(held)
    act = tagging.delete if deleted else tagging.restore
    held.save(update_fields=act(held, standings.as_facts(user, row), schedule))
