"""The chat page: list of conversations, transcript, composer. It works without JavaScript; reading is always open."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import SESSION_KEY
from accounts.models import Workspace
from accounts.request import PersonalRequest
from chat.access import conversation_for, conversations_of
from chat.feedback import exchanges
from chat.frames import gate_state
from chat.models import Conversation
from chat.recipients import recipients
from chat.sidebar import sidebar
from chat.training.checking import used_in
from chat.transcript import transcript
from chat.turns.allowance import allowance
from privacy import badge as badges
from privacy import ends, keeping, policy, reading
from privacy.gate import gate_here
from privacy.middleware import open_always
from privacy.models import Standing
from privacy.prose import how_long
from privacy.reviews import AppealForm, review_on
from privacy.standings import schedule_for, standing_of
from privacy.views.question import dialog
from privacy.why import lines


@open_always
@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The landing page for strangers; people go to their chat."""
    return redirect("chat:new") if request.user.is_authenticated else render(request, "chat/landing.html")


@open_always
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PersonalRequest, *, temporary: bool = False) -> HttpResponse:
    """An empty chat. Who has never answered the terms does so first, before the first message.

    By POST what is being written comes along, from an ordinary chat to a temporary one or back; in no address, and
    nothing is asked by it.
    Somebody who came for a Work workspace is taken there instead: consumer terms are no matter of theirs.
    """
    gate = gate_here(request)
    if gate.stopped and (work := _came_for(request)):
        request.session[SESSION_KEY] = str(work.public_id)
        return redirect(request.path)
    if gate.newcomer:
        return redirect(f"{reverse('privacy:choice')}?{urlencode({'next': request.path})}")
    return render_chat(request, None, draft=request.POST.get("text", ""), temporary=temporary)


@open_always
@require_safe
def conversation(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    return render_chat(request, conversation_for(request.user, conversation))


def _came_for(request: PersonalRequest) -> Workspace | None:
    """The Work workspace that somebody came for who did not ask for the personal one, and has nothing there."""
    work = next((one for one in request.workspaces if not one.is_personal), None)
    asked_for_this = request.session.get(SESSION_KEY) == str(request.workspace.public_id)
    if work is None or asked_for_this or conversations_of(request.user).filter(workspace=request.workspace).exists():
        return None
    return work


@open_always
@require_safe
def why(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    """What applies to a conversation, in words, and why."""
    held = conversation_for(request.user, conversation)
    request.workspace = held.workspace
    standing = standing_of(request.user)
    context = {
        "conversation": held,
        "badge": exchanges.said(badges.badge(held, standing), held, standing),
        "lines": lines(held, request.user, standing),
        "used_in": used_in(held),
        "feedback": exchanges.answered_of(held),
        "openings": reading.openings(held),
        "recipients": recipients(held),
        "review": review_on(request.user, held),
        "form": AppealForm(),
    }
    return render(request, "chat/why.html", context)


def render_chat(
    request: PersonalRequest,
    held: Conversation | None,
    *,
    draft: str = "",
    error: str = "",
    temporary: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The page, with what a refused form had in it put back into the composer."""
    if held is not None:
        request.workspace = held.workspace  # the page speaks of where the conversation is
    standing = standing_of(request.user)
    answer = gate_here(request)
    context = {
        "conversation": held,
        "conversations": sidebar(request.user, request.workspace, standing),
        "soon": ends.coming(request.user),
        "transcript": transcript(held) if held else [],
        "badge": held and _badge(held, standing),
        "keeping": held and keeping.offer(request.user, held, standing),
        "allowance": allowance(request.user, request.workspace),
        "gate": {
            **gate_state(answer, request.workspace.public_id, _choice_url(request)),
            "deadline": answer.deadline,
        },
        "choice_dialog": dialog(request, answer),
        "temporary": _temporary(request) if (held.is_unlisted if held else temporary) else None,
        "draft": draft,
        "error": error,
    }
    return render(request, "chat/page.html", context, status=status)


def _badge(held: Conversation, standing: policy.Standing) -> dict[str, str]:
    said = exchanges.said(badges.badge(held, standing), held, standing)
    return {"text": said.text, "sentence": said.sentence, "url": reverse("chat:why", args=[held.public_id])}


def _temporary(request: PersonalRequest) -> dict[str, str]:
    """What a temporary chat says of itself here."""
    mine = Standing.objects.whole().filter(user=request.user).first()
    return {"time": how_long(schedule_for(request.workspace, mine).temporary)}


def _choice_url(request: HttpRequest) -> str:
    return f"{reverse('privacy:choice')}?{urlencode({'next': request.path if request.method == 'GET' else '/chat/'})}"
