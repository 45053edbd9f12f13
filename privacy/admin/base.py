"""What is looked at and never changed."""

from typing import Any

from django.http import HttpRequest

from accounts.staff import StaffAdmin


class ReadOnlyAdmin(StaffAdmin):
    """Evidence is looked at; the database would refuse a change anyway."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
