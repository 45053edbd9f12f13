"""Staff's view of the terms."""

from django.contrib import admin

from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Terms


@admin.register(Terms)
class TermsAdmin(ReadOnlyAdmin):
    list_display = ["title", "slug", "published_at", "deadline", "needs_answer"]
