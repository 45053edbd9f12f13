"""The list of a person's chats with what applies to each, and acts on several of them at once."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import clock
from accounts.request import PersonalRequest as Request
from privacy import deleting, ends, inventory, keeping
from privacy.consequences import number
from privacy.prose import class_title
from privacy.selecting import (
    SelectionForm,
    class_of,
    foretold_of_deleting,
    foretold_of_letting_go,
    moment_of,
    within_of,
)
from privacy.selection import Selection
from privacy.standings import standing_of

A_PAGE = 50


@require_safe
def chats(request: Request) -> HttpResponse:
    """What applies to each chat, with the way to its reasons; of one class or of all, ending whenever or soon."""
    one, within, now = class_of(request.GET), within_of(request.GET), clock.now()
    found = inventory.Chats(request.user, one, ends.horizon(within, now) if within else None)
    paginator: Paginator[inventory.Row] = Paginator(found, A_PAGE)  # type: ignore[arg-type]
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "class": one,
        "class_title": class_title(one) if one else "",
        "items": inventory.items(page.object_list, standing_of(request.user)),
        "within": within,
        "days": ends.CHOICES,
        "now": now.isoformat(),
        "undo": _undo(request),
    }
    return render(request, "privacy/chats.html", context)


def _undo(request: Request) -> dict[str, Any] | None:
    """The deletion that the page comes from, as long as it can be taken back."""
    at = moment_of(request.GET.get("deleted"))
    count = sum(rows.count() for rows in deleting.undoable(request.user, at)) if at else 0
    return {"at": at, "count": count} if count else None


@require_POST
def act(request: Request) -> HttpResponse:
    """Do it to what was picked. What takes something away says first to how many, and what follows."""
    form = SelectionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Pick the chats first, then what to do with them."))
        return redirect(_list(request))
    chosen, name = form.selection(request.user), form.cleaned_data["act"]
    foretell, do = ACTS[name]
    if foretell and not form.cleaned_data["confirmed"]:
        context = {"form": form, "act": name, "foretold": foretell(chosen), "back": _list(request)}
        return render(request, "privacy/chats_confirm.html", context)
    return do(request, chosen)


@require_POST
def undelete(request: Request) -> HttpResponse:
    """Take a deletion back, all of it."""
    at = moment_of(request.POST.get("at"))
    count = deleting.undelete(request.user, at=at) if at else 0
    back = ngettext("%(count)s chat is back.", "%(count)s chats are back.", count) % {"count": number(count)}
    messages.info(request, back if count else _("It is too late to take that back."))
    return redirect(_list(request))


def _list(request: Request, **more: str) -> str:
    """The list that a form came from."""
    of = {"class": class_of(request.POST), "within": within_of(request.POST)}
    query = urlencode({**{name: value for name, value in of.items() if value}, **more})
    return reverse("privacy:chats") + (f"?{query}" if query else "")


def _keep(request: Request, chosen: Selection) -> HttpResponse:
    count = keeping.keep(chosen)
    said = ngettext("%(count)s more chat is kept.", "%(count)s more chats are kept.", count)
    messages.success(request, said % {"count": number(count)})
    return redirect(_list(request))


def _let_go(request: Request, chosen: Selection) -> HttpResponse:
    count = keeping.let_go(chosen)
    said = ngettext("%(count)s chat is let go.", "%(count)s chats are let go.", count)
    messages.success(request, said % {"count": number(count)})
    return redirect(_list(request))


def _delete(request: Request, chosen: Selection) -> HttpResponse:
    _count, at = deleting.delete(chosen)
    return redirect(_list(request, deleted=at.isoformat()))


# What is asked once more says first what would follow.
ACTS = {
    "keep": (None, _keep),
    "let_go": (foretold_of_letting_go, _let_go),
    "delete": (foretold_of_deleting, _delete),
}
