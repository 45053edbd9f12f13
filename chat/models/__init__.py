from chat.models.conversation import Conversation
from chat.models.message import Message
from chat.models.spent import SpentTurn

__all__ = ["Conversation", "Message", "SpentTurn"]
