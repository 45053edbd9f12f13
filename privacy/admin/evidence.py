"""Staff's view of ledger, standings and sweeps."""

from django.contrib import admin

from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Event, Standing, SweepRun, Tombstone


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
