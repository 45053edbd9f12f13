"""What people may write, and what becomes of it: the stored text, the first title."""

from chat.errors import BadText, TooLong
from chat.models.conversation import TITLE_LENGTH

MAX_TEXT = 100_000  # characters of one question
TITLE_CUT = 60


def checked(text: str) -> str:
    """The text as it is stored; raises BadText or TooLong."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise BadText
    if "\x00" in text:
        raise BadText("Your text holds a character that cannot be stored (NUL). Remove it and send again.")
    if len(text) > MAX_TEXT:
        raise TooLong(len(text), MAX_TEXT)
    return text


def first_words(text: str) -> str:
    """A title until there is a better one."""
    words = " ".join(text.split())
    return words if len(words) <= TITLE_CUT else words[:TITLE_CUT].rsplit(" ", 1)[0][: TITLE_LENGTH - 1] + "…"
