from chat.models.conversation import Conversation
from chat.models.message import Message
from chat.models.spent import SpentTurn
from chat.models.training import TrainingChunk, TrainingMember, TrainingRun, TrainingSet

__all__ = [
    "Conversation",
    "Message",
    "SpentTurn",
    "TrainingChunk",
    "TrainingMember",
    "TrainingRun",
    "TrainingSet",
]
