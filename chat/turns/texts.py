"""What people may write, and how it is stored."""

from chat.errors import BadText, TooLong

MAX_TEXT = 100_000  # characters of one question


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
