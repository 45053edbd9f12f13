"""Terms and schedules in words."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from privacy.models import Terms

_markdown = MarkdownIt("commonmark", {"html": False})


def to_html(text: str) -> SafeString:
    """Staff's Markdown as sanitised HTML."""
    return mark_safe(nh3.clean(_markdown.render(text)))  # noqa: S308 — sanitised in this very line


def retention_table(terms: Terms) -> list[dict[str, str]]:
    """The schedule that `terms` promise, one row per class, in words."""
    return [
        {
            "class": "May train models",
            "when": "You allowed training, and the chat was begun afterwards",
            "how_long": f"{terms.training_years} years after the last message",
            "trains": "Yes",
        },
        {
            "class": "Kept history",
            "when": "You asked to keep your history",
            "how_long": "Until you let it go or delete it",
            "trains": "Only if you allowed it",
        },
        {
            "class": "Standard",
            "when": "All other personal chats",
            "how_long": f"{terms.standard_days} days after the last message",
            "trains": "Never",
        },
        {
            "class": "Temporary",
            "when": "Started as a temporary chat",
            "how_long": f"{terms.temporary_hours} hours after the last message",
            "trains": "Never",
        },
        {
            "class": "Work",
            "when": "Chats in a Work workspace",
            "how_long": "As the workspace's agreement says",
            "trains": "Only if an owner of the workspace says so",
        },
        {
            "class": "Deleted",
            "when": "You deleted the chat",
            "how_long": f"Hidden at once, purged after {terms.deletion_hours} hours",
            "trains": "Never",
        },
    ]
