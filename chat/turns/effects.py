"""What leaves a turn's transaction: a task for a worker, word to open pages. The row is the truth: if the broker is
away, these fail quietly and a sweep makes up for them.
"""

import logging
from collections.abc import Callable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from chat.journal import control
from chat.models import Conversation, Message

logger = logging.getLogger(__name__)


def answer_opened(answer: Message, conversation: Conversation) -> None:
    """An answer waits for a worker, from now on."""
    after_commit(lambda: _send("generate", answer.pk))
    conversation_changed(conversation, "turn")


def answer_ended(answer: Message, conversation: Conversation) -> None:
    """An answer has its last word: open pages hear of it, it is rendered, a young conversation gets its title."""
    after_commit(lambda: control.publish("ended", user=conversation.author_id, answer=answer.public_id))
    if answer.text:
        after_commit(lambda: _send("render_answer", answer.pk))
    if conversation.title_source == Conversation.TitleSource.QUESTION and not conversation.is_unlisted:
        title_wanted(conversation)


def title_wanted(conversation: Conversation) -> None:
    """A worker asks the model for a better title than the first words of the question."""
    after_commit(lambda: _send("title_conversation", conversation.pk))


def conversation_changed(conversation: Conversation, what: str) -> None:
    """Word to every tab of its author: `what` is turn, title or branch."""
    after_commit(
        lambda: control.publish(
            "changed",
            user=conversation.author_id,
            conversation=conversation.public_id,
            what=what,
        )
    )


def _send(task: str, row: int) -> None:
    """Send a task of chat/tasks.py by its name: what those do has effects in its turn."""
    current_app.send_task(f"chat.tasks.{task}", [row])


def after_commit(effect: Callable[[], object]) -> None:
    """Run `effect` after the commit; a broker that is away costs a log line, not the act."""

    def quietly() -> None:
        try:
            effect()
        except (OperationalError, OSError) as error:
            logger.warning("an effect did not reach the broker (%s); a sweep makes up for it", type(error).__name__)

    transaction.on_commit(quietly, robust=True)
