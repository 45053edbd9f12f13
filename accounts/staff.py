"""What every page of the administration keeps to."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts import clock

FAR = 100  # years
# What Django's own filters and its date line add to the name of a field.
ADDED = {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "year", "month", "day"}


class MomentField(forms.DateTimeField):
    """A day and a time in one field with one label, in the browser's own control.

    Django's own for the administration are two fields without labels, and scripts.
    """

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        super().__init__(**options | {"widget": widget})

    def clean(self, value: Any) -> Any:
        """A moment that one can still reckon with."""
        moment = super().clean(value)
        if moment and abs(moment.year - clock.now().year) > FAR:
            raise forms.ValidationError(f"Give a moment within {FAR} years.", code="far")
        return moment


class StaffAdmin(admin.ModelAdmin):
    """Asks the database only what a filter of the page asks.

    By itself Django lets an address ask for any field (`?password__startswith=…`), shown on the page or not: letter by
    letter, what is hidden can be read from which rows remain.
    """

    formfield_overrides = {models.DateTimeField: {"form_class": MomentField}}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        assert request is not None
        field, _, last = lookup.rpartition("__")
        if lookup in {getattr(one, "parameter_name", None) for one in self.get_list_filter(request)}:
            return True  # a filter with a name of its own
        return {lookup, field if last in ADDED else lookup} & self._filtered(request) != set()

    def _filtered(self, request: HttpRequest) -> set[str]:
        filters = self.get_list_filter(request)
        named = {str(one[0] if isinstance(one, list | tuple) else one) for one in filters}
        return named | {str(self.date_hierarchy)} if self.date_hierarchy else named
