"""Acts on a conversation that stay open whatever is owed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from accounts.request import PersonalRequest
from chat.access import conversations_of
from chat.errors import Refused
from chat.models import Conversation
from chat.turns import conversations
from privacy.deleting import UNDO
from privacy.middleware import open_always, wants_json


@open_always
@require_POST
def rename(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    try:
        held = conversations.rename(request.user, conversation=conversation, title=request.POST.get("title", ""))
    except Refused as error:
        if wants_json(request):
            return JsonResponse({"error": {"code": error.code, "message": error.message}}, status=error.status)
        messages.error(request, error.message)
        return redirect("chat:conversation", conversation)
    return _done(request, held)


@open_always
@require_POST
def branch(request: PersonalRequest, message: UUID) -> HttpResponse:
    return _done(request, conversations.show_branch(request.user, message=message))


@open_always
@require_POST
def keep(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    return _done(request, conversations.keep(request.user, conversation=conversation))


@open_always
@require_POST
def let_go(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    """Back to the chat, or to nowhere if it was begun as temporary and its time is over."""
    held = conversations.let_go(request.user, conversation=conversation)
    if not conversations_of(request.user).filter(pk=held.pk).exists() and not wants_json(request):
        return redirect("chat:new")
    return _done(request, held)


@open_always
@require_POST
def delete(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    held = conversations.delete(request.user, conversation=conversation)
    request.workspace = held.workspace
    if wants_json(request):
        seconds = int(UNDO.total_seconds())
        return JsonResponse({"deleted": str(held.public_id), "undo_seconds": seconds})
    return redirect(f"{reverse('chat:new')}?{urlencode({'deleted': str(held.public_id)})}")


@open_always
@require_POST
def undelete(request: PersonalRequest, conversation: UUID) -> HttpResponse:
    return _done(request, conversations.undelete(request.user, conversation=conversation))


def _done(request: PersonalRequest, held: Conversation) -> HttpResponse:
    request.workspace = held.workspace
    if wants_json(request):
        return JsonResponse({"id": str(held.public_id), "url": held.get_absolute_url(), "title": held.title})
    return redirect(held)
