"""Staff's pages of the chat."""

from chat.admin import conversations, training

__all__ = ["conversations", "training"]
