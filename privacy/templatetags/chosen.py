"""What the confirmation of a choice leads to."""

from django import template

register = template.Library()


@register.filter
def receipt_key(tags: str) -> str:
    """The key of the event that a confirmation shows."""
    return tags.split(" ")[0]


@register.filter
def undo_token(tags: str) -> str:
    """The signed form of what undoing would do; empty where only the person can say what instead."""
    return tags.partition(" ")[2]
