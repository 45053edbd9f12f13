"""A title by the model, after the first answer and only then; replaceable by hand, and by nothing else."""

import asyncio
import logging
from contextlib import aclosing

from django.conf import settings
from django.db import connections

from chat.generation.engine import engine
from chat.models import Conversation, Message
from chat.models.conversation import TITLE_LENGTH, TitleSource
from chat.models.message import OPEN_STATES
from chat.providers.base import Request, Turn, provider_for
from chat.providers.errors import FailureCode, ProviderError
from chat.turns import effects

logger = logging.getLogger(__name__)

INSTRUCTION = (
    "Write a title of two to five words for a chat that begins with the following message. "
    "Answer with the title alone.\n\nMessage: {question}"
)
SECONDS = 30
WORDS_READ = 150
MOST_WORDS = 7


def give_title(pk: int) -> None:
    """Name the conversation `pk` after its first answer, unless it has a title already that is not its first words.

    A model whose title was no good is not asked again: it would answer the same after every turn.
    """
    young = Conversation.objects.in_lists().filter(pk=pk, title_source=TitleSource.QUESTION, deleted_at__isnull=True)
    conversation = young.first()
    first = Message.objects.filter(conversation=pk, role=Message.Role.USER).order_by("pk").first()
    if conversation is None or first is None or _answers(pk) > 1:
        return
    connections.close_all()
    question = " ".join(first.text.split()[:WORDS_READ])
    title = _fitting(engine().run(_ask(question)), question)
    if title and young.update(title=title, title_source=TitleSource.MODEL):
        effects.conversation_changed(conversation, "title")


def _answers(conversation: int) -> int:
    """How many answers have ended."""
    answers = Message.objects.filter(conversation=conversation, role=Message.Role.ASSISTANT)
    return answers.exclude(state__in=OPEN_STATES).count()


async def _ask(question: str) -> str:
    """The model's words, as far as they were let come; nothing if it fails, for a title is worth no error."""
    said = ""
    provider = provider_for(settings.MODEL)
    request = Request(
        turns=[Turn("user", INSTRUCTION.format(question=question))], model=settings.MODEL["name"], max_tokens=24
    )
    try:
        async with asyncio.timeout(SECONDS):
            async with aclosing(provider.stream(request)) as pieces:
                async for piece in pieces:
                    said += piece
    except (ProviderError, TimeoutError) as error:
        if getattr(error, "code", None) is not FailureCode.CUT_SHORT:
            logger.info("no title: %s", type(error).__name__)
            return ""
    return said


def _fitting(said: str, question: str) -> str:
    """The first line as a title; empty if it is none, for then the question's own first words do better.

    A title is short, no sentence, and speaks of what was asked: small models often answer the question instead.
    """
    lines = [line.strip(" #*_\"'“”„`") for line in said.splitlines() if line.strip()]
    title = lines[0].removeprefix("Title:").strip(" \"'“”*") if lines else ""
    words = title.casefold().split()
    asked = question.casefold()
    speaks_of_it = any(word.strip(",:;") in asked for word in words if len(word) > 3 or len(words) == 1)
    is_title = 0 < len(words) <= MOST_WORDS and len(title) <= TITLE_LENGTH and title[-1] not in ".!?…:"
    return title[:1].upper() + title[1:] if is_title and speaks_of_it else ""
