from chat.models.conversation import Conversation
from chat.models.feedback import Feedback
from chat.models.message import Message
from chat.models.spent import SpentTurn
from chat.models.training import TrainingChunk, TrainingMember, TrainingRun, TrainingSet

__all__ = [
    "Conversation",
    "Feedback",
    "Message",
    "SpentTurn",
    "TrainingChunk",
    "TrainingMember",
    "TrainingRun",
    "TrainingSet",
]
