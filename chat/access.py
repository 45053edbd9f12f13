"""The one way to a conversation or message for views and sockets: unknown, foreign, hidden or deleted look alike."""

from uuid import UUID

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from chat.models import Conversation, Message
from chat.models.conversation import ConversationQuerySet


def conversations_of(user: User) -> ConversationQuerySet:
    """What `user` may see: their own, not hidden, in workspaces they are still a member of."""
    return (
        Conversation.objects.visible(clock.now())
        .filter(author=user, workspace__memberships__user=user)
        .select_related("workspace__agreed__agreement")
    )


def conversation_for(user: User, public_id: UUID) -> Conversation:
    """The conversation, or NotFound."""
    try:
        return conversations_of(user).get(public_id=public_id)
    except Conversation.DoesNotExist:
        raise NotFound from None


def message_for(user: User, public_id: UUID) -> Message:
    """The message with its conversation, or NotFound."""
    try:
        return Message.objects.select_related("conversation__workspace__agreed__agreement").get(
            public_id=public_id, conversation__in=conversations_of(user)
        )
    except Message.DoesNotExist:
        raise NotFound from None
