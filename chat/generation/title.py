"""A title by the model, after the first answer; replaceable by hand, and by nothing else."""

import asyncio
import logging

from django.conf import settings
from django.db import connections

from chat.models import Conversation, Message
from chat.models.conversation import TITLE_LENGTH, TitleSource
from chat.providers.base import Request, Turn, provider_for
from chat.providers.errors import ProviderError
from chat.turns import effects

logger = logging.getLogger(__name__)

INSTRUCTION = (
    "Write a title of two to five words for a chat that begins with the following message. "
    "Answer with the title alone.\n\nMessage: {question}"
)
SECONDS = 30
WORDS_READ = 150


def give_title(pk: int) -> None:
    """Name the conversation `pk` unless it has a title already that is not just its first words."""
    young = Conversation.objects.filter(pk=pk, title_source=TitleSource.QUESTION, deleted_at__isnull=True)
    conversation = young.first()
    first = Message.objects.filter(conversation=pk, role=Message.Role.USER).order_by("pk").first()
    if conversation is None or first is None:
        return
    connections.close_all()
    title = _tidy(asyncio.run(_ask(" ".join(first.text.split()[:WORDS_READ]))))
    if title and young.update(title=title, title_source=TitleSource.MODEL):
        effects.conversation_changed(conversation, "title")


async def _ask(question: str) -> str:
    """The model's words; nothing if it fails, for a title is worth no error."""
    provider = provider_for(settings.MODEL)
    request = Request(
        turns=[Turn("user", INSTRUCTION.format(question=question))], model=settings.MODEL["name"], max_tokens=24
    )
    try:
        async with asyncio.timeout(SECONDS):
            return "".join([piece async for piece in provider.stream(request)])
    except (ProviderError, TimeoutError) as error:
        logger.info("no title: %s", type(error).__name__)
        return ""
    finally:
        await provider.aclose()


def _tidy(said: str) -> str:
    """The first line, without quotes, marks or a trailing full stop; empty if that is no title."""
    lines = [line.strip(" #*_\"'“”„`") for line in said.splitlines() if line.strip()]
    title = lines[0].removeprefix("Title:").strip(" \"'“”*").rstrip(".") if lines else ""
    return title if 0 < len(title.split()) <= 12 and len(title) <= TITLE_LENGTH else ""
