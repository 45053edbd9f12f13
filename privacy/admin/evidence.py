"""Staff's view of the ledger and its tree, of standings and erasures."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from privacy.admin.base import ReadOnlyAdmin
from privacy.evidence import tree
from privacy.models import Erasure, Event, Leaf, LedgerKey, Standing, Tombstone, TreeHead
from privacy.vocabulary import Act, Source


class WordFilter(admin.SimpleListFilter):
    """A filter by a word of the vocabulary: asking the table which words it holds would read all of it."""

    words: type[Act] | type[Source]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word.value, word.value.replace("_", " ")) for word in self.words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name or "": self.value()}) if self.value() else queryset


class ActFilter(WordFilter):
    title, parameter_name, words = _("act"), "act__exact", Act


class SourceFilter(WordFilter):
    title, parameter_name, words = _("source"), "source__exact", Source


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "at", "act", "source", "subject"]
    list_filter = [ActFilter, SourceFilter]
    search_fields = ["=subject", "=key", "=hash"]
    date_hierarchy = "at"
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["key", "act", "means", "at", "source", "subject", "actor", "terms"]}),
        (_("What it says"), {"fields": ["detail_as_json", "context_as_json"]}),
        (_("Chain"), {"fields": ["follows", "followed_by", "hash", "mac", "mac_key"]}),
        (_("Tree"), {"fields": ["position", "head", "path"]}),
    ]

    def means(self, event: Event) -> str:
        return event.sentence

    @admin.display(description=_("detail"))
    def detail_as_json(self, event: Event) -> SafeString:
        return _json(event.detail)

    @admin.display(description=_("context, as salted hashes"))
    def context_as_json(self, event: Event) -> SafeString:
        return _json(event.context)

    def follows(self, event: Event) -> SafeString | str:
        return _link(_of_subject(event).filter(hash=event.previous).first()) if event.previous else "–"

    def followed_by(self, event: Event) -> SafeString | str:
        return _link(_of_subject(event).filter(previous=event.hash).first())

    def position(self, event: Event) -> str:
        leaf = Leaf.objects.filter(event=event).first()
        return f"{leaf.position:,}" if leaf else str(_("none yet"))

    @admin.display(description=_("under the head"))
    def head(self, event: Event) -> SafeString | str:
        return _link(TreeHead.objects.first() if tree.proof_of(event) else None)

    @admin.display(description=_("inclusion path"))
    def path(self, event: Event) -> SafeString | str:
        proof = tree.proof_of(event)
        nodes = format_html_join("\n", "{}", ((node,) for node in proof.path)) if proof else ""
        return format_html("<pre>{}</pre>", nodes) if nodes else "–"


@admin.register(Leaf)
class LeafAdmin(ReadOnlyAdmin):
    list_display = ["position", "event_id", "hash"]
    ordering = ["-position"]
    search_fields = ["=position", "=event__id", "=hash"]
    show_full_result_count = False
    raw_id_fields = ["event"]


@admin.register(TreeHead)
class TreeHeadAdmin(ReadOnlyAdmin):
    list_display = ["id", "at", "size", "root", "key_id"]
    date_hierarchy = "at"
    search_fields = ["=size", "=root"]
    show_full_result_count = False


@admin.register(LedgerKey)
class LedgerKeyAdmin(ReadOnlyAdmin):
    list_display = ["key_id", "from_at", "public", "vouched_by"]


@admin.register(Standing)
class StandingAdmin(ReadOnlyAdmin):
    list_display = ["user", "training", "keep_history", "epoch", "since", "terms"]
    list_filter = ["training", "keep_history"]
    list_select_related = ["user", "terms"]


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ["user", "asked_at", "due_at", "worked_at", "remaining"]
    list_select_related = ["user"]


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    list_display = ["purged_at", "kind", "key", "retention_class", "cause"]
    list_filter = ["kind", "cause", "retention_class"]
    search_fields = ["=key"]
    show_full_result_count = False


def _of_subject(event: Event) -> QuerySet[Event]:
    return Event.objects.filter(subject=event.subject, subject__isnull=False)


def _link(row: Event | TreeHead | None) -> SafeString | str:
    if row is None:
        return "–"
    address = reverse(f"admin:privacy_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, row)


def _json(value: Any) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))
