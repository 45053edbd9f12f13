"""Staff's view of terms, ledger and sweeps: to read, not to change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.staff import StaffAdmin
from privacy.models import Event, Standing, SweepRun, Terms, Tombstone


class ReadOnlyAdmin(StaffAdmin):
    """Evidence is looked at; the database would refuse a change anyway."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Terms)
class TermsAdmin(ReadOnlyAdmin):
    list_display = ["title", "slug", "published_at", "deadline", "needs_answer"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "at", "act", "source", "subject"]
    list_filter = ["act", "source"]
    search_fields = ["=subject"]
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(Standing)
class StandingAdmin(ReadOnlyAdmin):
    list_display = ["user", "training", "keep_history", "epoch", "since", "terms"]
    list_filter = ["training", "keep_history"]
    list_select_related = ["user", "terms"]


@admin.register(SweepRun)
class SweepRunAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "finished_at", "purged", "by_class"]


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    list_display = ["purged_at", "kind", "key", "retention_class", "cause"]
    list_filter = ["kind", "cause", "retention_class"]
    search_fields = ["=key"]
    show_full_result_count = False
