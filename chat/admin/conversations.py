"""Staff's view of conversations: what applies to them, never what is said in them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import clock
from accounts.staff import StaffAdmin
from chat.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(StaffAdmin):
    list_display = [
        *("public_id", "author", "workspace", "begun_at", "last_activity_at"),
        *("tag_class", "tag_reason", "trains_until", "hidden_from", "purge_after"),
    ]
    list_filter = ["tag_class", "tag_reason", "workspace__kind"]
    list_select_related = ["author", "workspace"]
    search_fields = ["=public_id", "author__email"]
    show_full_result_count = False
    view_on_site = False  # its page is its author's alone
    exclude = ["title", "title_source"]
    readonly_fields = [
        *("public_id", "workspace", "author", "begun_at", "begun_epoch", "last_activity_at", "temporary", "kept"),
        *("deleted_at", "flagged_at", "held", "grace_until", "tag_class", "tag_reason", "tag_epoch"),
        *("trains_until", "hidden_from", "purge_after"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        """What is hidden is hidden from staff too."""
        return Conversation.objects.visible(clock.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
