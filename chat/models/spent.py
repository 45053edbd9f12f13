"""What a person has used of their allowance. Kept apart from messages, so that deleting chats gives nothing back."""

from django.conf import settings
from django.db import models

from accounts import clock


class SpentTurn(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["user", "workspace", "at"], name="spent_turn_window")]

    def __str__(self) -> str:
        return f"Turn of {self.user_id} at {self.at}"
