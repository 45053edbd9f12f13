"""What the training side asks before a run: with a key of its own, and no account."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat.models import TrainingRun
from chat.training import checking
from privacy.middleware import open_always

LONGEST_NAME = TrainingRun._meta.get_field("name").max_length or 0


@open_always
@csrf_exempt  # no cookie speaks for anybody here
@login_not_required
@require_POST
def check(request: HttpRequest) -> JsonResponse:
    """Which keys of a released set (`manifest`: the SHA-256 of its manifest) the `run` must drop; that is noted."""
    if not settings.TRAINING_KEY:
        return _refused(404, "not_found", "Nothing is told here: no TRAINING_KEY is set.")
    if not _has_key(request):
        return _refused(403, "forbidden", "Say the training key: Authorization: Bearer …")
    run, manifest = request.POST.get("run", "").strip(), request.POST.get("manifest", "").strip()
    if not run or len(run) > LONGEST_NAME or "\x00" in run + manifest:
        return _refused(400, "no_run", f"Give the run's name (at most {LONGEST_NAME} characters).")
    try:
        answer = checking.check(manifest=manifest, run=run)
    except checking.NotReleased:
        return _refused(404, "not_released", "This is the manifest of no released set: do not train on it.")
    response = JsonResponse(answer.as_data())
    response.headers["Cache-Control"] = "no-store"
    return response


def _has_key(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(given.strip(), settings.TRAINING_KEY)


def _refused(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
