"""A conversation: whose it is and what applies to it is in `Tagged`; here is what makes it one to read."""

from typing import TYPE_CHECKING

from django.db import models
from django.urls import reverse

from privacy.models import Tagged, TaggedQuerySet
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from chat.models.message import Message

TITLE_LENGTH = 120


class TitleSource(models.TextChoices):
    """Who gave the title; one by hand is never replaced."""

    QUESTION = "question", "The first words of the question"
    MODEL = "model", "The model"
    HAND = "hand", "The person"


class ConversationQuerySet(TaggedQuerySet["Conversation"]):
    def listed(self) -> "ConversationQuerySet":
        """As lists show them: the latest activity first."""
        return self.order_by("-last_activity_at", "-pk")


class Conversation(Tagged):
    TitleSource = TitleSource

    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    title_source = models.CharField(max_length=8, choices=TitleSource.choices, default=TitleSource.QUESTION)
    # The end of the branch that is shown; the transcript is the path from here to the root.
    leaf = models.ForeignKey("chat.Message", models.SET_NULL, null=True, related_name="+", editable=False)

    objects = ConversationQuerySet.as_manager()

    if TYPE_CHECKING:
        messages: RelatedManager[Message]

    class Meta:
        indexes = [
            models.Index(fields=["author", "workspace", "-last_activity_at"], name="conversation_list"),
            models.Index(
                fields=["purge_after"], name="conversation_due", condition=models.Q(purge_after__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(author__isnull=False)
                | models.Q(tag_class__in=[RetentionClass.AGREEMENT, RetentionClass.TEMPORARY]),
                name="only_work_loses_its_author",
            )
        ]

    def __str__(self) -> str:
        return f"Conversation {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("chat:conversation", args=[self.public_id])
