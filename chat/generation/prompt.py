"""What the model is given: the branch that leads to the answer, cut to what fits."""

from django.conf import settings
from django.db import connection

from chat.models.message import Role
from chat.providers.base import Turn

CHARACTERS_PER_TOKEN = 3  # a cautious mean over languages; the model's own limit is the judge
SHARE_FOR_QUESTION = 0.7  # of the context; the rest is room for the answer

# From the question upwards, no further than the budget reaches: older texts, which may be long, are not read.
# `used` counts the characters from the question to here; the first text is taken however long it is.
BRANCH = """
WITH RECURSIVE branch AS (
    SELECT id, parent_id, role, char_length(text) AS length, char_length(text) AS used
    FROM chat_message WHERE id = %(question)s
    UNION ALL
    SELECT above.id, above.parent_id, above.role, char_length(above.text), used + char_length(above.text)
    FROM chat_message AS above JOIN branch ON above.id = branch.parent_id WHERE used < %(budget)s
)
SELECT message.role, message.text FROM branch JOIN chat_message AS message USING (id)
WHERE length > 0 AND (used <= %(budget)s OR used = length) ORDER BY id
"""


def turns_before(question: int, context_tokens: int) -> list[Turn]:
    """The turns up to `question` (a primary key), oldest first; the oldest are left out where the context is too small.

    An answer that failed at once said nothing, and is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(BRANCH, {"question": question, "budget": _budget(context_tokens)})
        turns = [Turn("assistant" if role == Role.ASSISTANT else "user", text) for role, text in cursor.fetchall()]
    return turns[1:] if turns and turns[0].role == "assistant" and len(turns) > 1 else turns


def _budget(granted: int) -> int:
    """Characters of history that fit the smaller of plan and model."""
    return int(min(granted, settings.MODEL["context_tokens"]) * CHARACTERS_PER_TOKEN * SHARE_FOR_QUESTION)
