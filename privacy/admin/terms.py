"""Staff's view of the terms."""

from django.contrib import admin

from privacy.admin.base import ReadOnlyAdmin
from privacy.admin.figures import FiguresMixin
from privacy.models import Terms


@admin.register(Terms)
class TermsAdmin(FiguresMixin, ReadOnlyAdmin):
    list_display = ["title", "slug", "published_at", "deadline", "needs_answer"]
