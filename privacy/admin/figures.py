"""The page of figures: how people answer one version of the terms."""

import csv
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts import clock
from accounts.models import User
from accounts.plans import Plan
from privacy.figures import answers, charts
from privacy.figures.groups import OTHERS, SMALLEST, Counts, large_enough
from privacy.figures.nudge import Difference, Split, difference
from privacy.models import Terms
from privacy.vocabulary import Order, Source

REGIONS = dict(User._meta.get_field("region").choices or [])


class FiguresMixin(admin.ModelAdmin):
    """Adds the page to the administration of the terms. Whoever may see those may see it."""

    def get_urls(self) -> list[URLPattern]:
        figures = self.admin_site.admin_view(self.figures)
        return [path("<int:pk>/figures/", figures, name="privacy_terms_figures"), *super().get_urls()]

    def figures(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The figures of one published version, as a page or (`?format=csv`) as a table."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.now()
        versions = Terms.objects.published(now).filter(needs_answer=True)
        terms = get_object_or_404(versions, pk=pk)
        people = answers.asked(terms)
        grouping, group = _chosen(request, people)
        if request.GET.get("format") == "csv":
            return _table(terms, people)
        total = people.groups[grouping][group] if grouping else people.total
        enough = large_enough(total)
        days = answers.over_time(terms, now, total, grouping, group) if enough else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("Figures"),
            "subtitle": str(terms),
            "opts": self.opts,
            "terms": terms,
            "versions": versions,
            "smallest": SMALLEST,
            "enough": enough,
            "total": people.total if large_enough(people.total) else None,
            "due": Terms.objects.filter(pk=terms.pk).due(now).exists(),
            "locked_out": people.total["deferred"] + people.total["undecided"],
            "groups": [(name, _named(name, found)) for name, found in people.groups.items()],
            "chosen": (grouping, _name(grouping, group)) if grouping else None,
            "days": days[::-1],
            "quiet_since": days[-1].day if days and days[-1].day < now.date() else None,
            "days_chart": _days_chart(days),
            "forms": _forms(terms),
            "times": _times(terms),
            "reminders": answers.reminders(terms),
        }
        return TemplateResponse(request, "admin/privacy/figures.html", context)


def _chosen(request: HttpRequest, people: answers.Asked) -> tuple[str, str]:
    """The one group that was asked for, if it is one that may be shown by name."""
    for grouping, groups in people.groups.items():
        group = request.GET.get(grouping)
        if group and group in groups:
            return grouping, group
    return "", ""


def _name(grouping: str, name: str) -> str:
    if name == OTHERS:
        return _("Others")
    return str(Plan(name).label if grouping == "plan" else REGIONS.get(name, name))


def _named(grouping: str, groups: dict[str, Counts]) -> list[dict[str, Any]]:
    return [
        {"key": name, "name": _name(grouping, name), "counts": counts, "people": sum(counts.values())}
        for name, counts in groups.items()
    ]


def _days_chart(days: list[answers.Day]) -> str:
    if not days:
        return ""
    series = [(state, [getattr(day, state) for day in days]) for state in answers.STATES]
    title = _("Answered, deferred and undecided people by day")
    return mark_safe(charts.areas(title, [f"{day.day:%d %b %Y}" for day in days], series))  # noqa: S308 — escaped there


def _forms(terms: Terms) -> list[dict[str, Any]]:
    """For each place where the question is put: how people answered who saw either order."""
    found, forms = answers.splits(terms), []
    for source, name in ((Source.DIALOG, _("Dialog in the app")), (Source.PAGE, _("Page of its own"))):
        pair = [found.get((source, order), Split(0, 0)) for order in Order]
        if all(answers.enough(split) for split in pair):
            forms.append({"name": name, "orders": list(zip(_orders(), pair, strict=True)), **_words(difference(*pair))})
    return forms


def _orders() -> tuple[str, str]:
    return _("Allow first"), _("Don't allow first")


def _words(found: Difference) -> dict[str, str]:
    numbers = {"value": found.value * 100, "low": found.low * 100, "high": found.high * 100}
    interval = _("%(value)+.1f percentage points (95 %% interval: %(low)+.1f to %(high)+.1f)") % numbers
    verdict = (
        _("Which answer stands first makes no difference that chance does not explain.")
        if found.by_chance
        else _("Which answer stands first makes a difference that chance alone does not explain. Look at the layout.")
    )
    return {"interval": interval, "verdict": verdict}


def _times(terms: Terms) -> dict[str, Any] | None:
    taken = answers.times(terms)
    if taken is None:
        return None
    names = [_("up to %s") % name for _seconds, name in answers.BUCKETS] + [_("longer")]
    chart = charts.bars(_("Time from the first notice to the answer"), names, taken.buckets)
    return {
        "quartiles": [_length(quartile) for quartile in taken.quartiles],
        "rows": list(zip(names, taken.buckets, strict=True)),
        "chart": mark_safe(chart),  # noqa: S308 — escaped there
    }


def _length(taken: timedelta) -> str:
    """A stretch of time in words, by its largest unit."""
    now = clock.now()
    return timesince(now - taken, now, depth=1) if taken >= timedelta(minutes=1) else _("less than a minute")


def _table(terms: Terms, people: answers.Asked) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="answers-{terms.slug}.csv"'
    writer = csv.writer(response)
    writer.writerow(["grouping", "group", *answers.STATES])
    if large_enough(people.total):
        writer.writerow(["everybody", "", *(people.total[state] for state in answers.STATES)])
    for grouping, groups in people.groups.items():
        for name, counts in groups.items():
            writer.writerow([grouping, name or "others", *(counts[state] for state in answers.STATES)])
    return response
