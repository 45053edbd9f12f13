"""The HTTP doors to a turn, for plain forms and for programs. Each ends in `begin_turn`, which asks the gate."""

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.request import PersonalRequest
from chat import frames
from chat.access import conversation_for, message_for
from chat.errors import BadFrame, Refused
from chat.models import Conversation
from chat.turns import acts
from chat.turns.begin import Turn
from chat.turns.stop import stop as stop_answer
from chat.views.page import render_chat
from privacy.errors import ConsentRequired
from privacy.middleware import gated, open_always, refusal, wants_json


@gated
@require_POST
def ask(request: PersonalRequest) -> HttpResponse:
    text, temporary = request.POST.get("text", ""), request.POST.get("temporary") == "on"
    held = None
    try:
        conversation = _uuid(request, "conversation")
        held = conversation_for(request.user, conversation) if conversation else None
        turn = acts.ask(
            request.user,
            workspace=_uuid(request, "workspace") or request.workspace.public_id,
            conversation=conversation,
            parent=_uuid(request, "parent"),
            text=text,
            request=_uuid(request, "request"),
            temporary=temporary,
        )
    except (Refused, ConsentRequired) as error:
        return _refused(request, error, held, draft=text, temporary=temporary)
    return _begun(request, turn)


@gated
@require_POST
def edit(request: PersonalRequest, message: UUID) -> HttpResponse:
    text = request.POST.get("text", "")
    return _act(request, message, lambda: acts.edit(request.user, message=message, text=text), draft=text)


@gated
@require_POST
def regenerate(request: PersonalRequest, message: UUID) -> HttpResponse:
    return _act(request, message, lambda: acts.regenerate(request.user, message=message))


@gated
@require_POST
def retry(request: PersonalRequest, message: UUID) -> HttpResponse:
    return _act(request, message, lambda: acts.retry(request.user, message=message))


@gated
@require_POST
def resume(request: PersonalRequest, message: UUID) -> HttpResponse:
    return _act(request, message, lambda: acts.resume(request.user, message=message))


@open_always
@require_POST
def stop(request: PersonalRequest, message: UUID) -> HttpResponse:
    stop_answer(request.user, message=message)
    held = message_for(request.user, message).conversation
    request.workspace = held.workspace
    return JsonResponse({"stopped": str(message)}) if wants_json(request) else redirect(held)


def _act(request: PersonalRequest, message: UUID, act: Callable[[], Turn], draft: str = "") -> HttpResponse:
    held = message_for(request.user, message).conversation
    try:
        return _begun(request, act())
    except (Refused, ConsentRequired) as error:
        return _refused(request, error, held, draft=draft)


def _begun(request: PersonalRequest, turn: Turn) -> HttpResponse:
    request.workspace = turn.conversation.workspace
    if wants_json(request):
        return JsonResponse(frames.turn(turn, None), status=201)
    return redirect(turn.conversation)


def _refused(
    request: PersonalRequest,
    error: Refused | ConsentRequired,
    held: Conversation | None,
    draft: str,
    temporary: bool = False,
) -> HttpResponse:
    """Say what to do; a page gets back what was written."""
    if held is not None:
        request.workspace = held.workspace
    if isinstance(error, ConsentRequired):
        return refusal(request, error)
    if wants_json(request):
        return JsonResponse({"error": {"code": error.code, "message": error.message}}, status=error.status)
    said = {"draft": draft, "error": error.message}
    return render_chat(request, held, **said, temporary=temporary, status=error.status)


def _uuid(request: PersonalRequest, name: str) -> UUID | None:
    """A UUID of the form; None where it is left empty."""
    value = request.POST.get(name, "")
    try:
        return UUID(value) if value else None
    except ValueError:
        raise BadFrame from None
