"""The list of a person's chats with what applies to each, and acts on several of them at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import clock
from accounts.request import PersonalRequest as Request
from privacy import inventory, keeping
from privacy.consequences import number
from privacy.prose import class_title
from privacy.selecting import SelectionForm, foretold_of_letting_go
from privacy.selection import Selection
from privacy.standings import standing_of
from privacy.vocabulary import RetentionClass

A_PAGE = 50


@require_safe
def chats(request: Request) -> HttpResponse:
    """What applies to each chat, with the way to its reasons; of one retention class or of all."""
    wanted = request.GET.get("class", "")
    one = RetentionClass(wanted) if wanted in list(RetentionClass) else None
    paginator: Paginator[inventory.Row] = Paginator(inventory.Chats(request.user, one), A_PAGE)  # type: ignore[arg-type]
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "class": one,
        "class_title": class_title(one) if one else "",
        "items": inventory.items(page.object_list, standing_of(request.user)),
        "now": clock.now().isoformat(),
    }
    return render(request, "privacy/chats.html", context)


@require_POST
def act(request: Request) -> HttpResponse:
    """Do it to what was picked. What takes something away says first to how many, and what follows."""
    form = SelectionForm(request.POST)
    back = reverse("privacy:chats") + (f"?class={form.one}" if form.is_valid() and form.one else "")
    if not form.is_valid():
        messages.error(request, _("Pick the chats first, then what to do with them."))
        return redirect(back)
    chosen, wanted = form.selection(request.user), ACTS[form.cleaned_data["act"]]
    if wanted.foretell and not form.cleaned_data["confirmed"]:
        context = {"form": form, "act": form.cleaned_data["act"], "foretold": wanted.foretell(chosen), "back": back}
        return render(request, "privacy/chats_confirm.html", context)
    messages.success(request, wanted.said(wanted.do(chosen)))
    return redirect(back)


@dataclass(frozen=True)
class Act:
    """`foretell` says what would follow, for what is asked once more; `said` what happened to so many."""

    do: Callable[[Selection], int]
    said: Callable[[int], str]
    foretell: Callable[[Selection], dict[str, Any]] | None = None


def _kept(count: int) -> str:
    said = ngettext("%(count)s more chat is kept.", "%(count)s more chats are kept.", count)
    return said % {"count": number(count)}


def _let_go(count: int) -> str:
    said = ngettext("%(count)s chat is let go.", "%(count)s chats are let go.", count)
    return said % {"count": number(count)}


ACTS = {
    "keep": Act(keeping.keep, _kept),
    "let_go": Act(keeping.let_go, _let_go, foretold_of_letting_go),
}
