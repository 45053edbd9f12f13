"""Rendering an answer's final text, once, and keeping the HTML beside it."""

from celery.exceptions import SoftTimeLimitExceeded

from chat.journal import control
from chat.models import Message
from chat.models.message import OPEN_STATES
from chat.rendering.markdown import render, render_plain
from chat.turns import effects


def render_answer(pk: int) -> None:
    """Render the answer `pk` if it is finished and was not rendered yet."""
    answer = (
        Message.objects.select_related("conversation")
        .filter(pk=pk, html="")
        .exclude(state__in=OPEN_STATES)
        .exclude(text="")
        .first()
    )
    if answer is None:
        return
    try:
        html = render(answer.text)
    except SoftTimeLimitExceeded:
        html = render_plain(answer.text)
    # The text may have been taken up again meanwhile; HTML of another text is worse than none.
    stored = Message.objects.filter(pk=pk, state=answer.state, attempt=answer.attempt).update(html=html)
    if stored:
        effects.after_commit(lambda: _tell(answer))


def _tell(answer: Message) -> None:
    control.publish("rendered", user=answer.conversation.author_id, answer=answer.public_id)
