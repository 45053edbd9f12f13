"""Coming back to an account that is about to be deleted: whoever has just given its password may, for a while."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import clock
from accounts.models import User
from privacy import leaving

SESSION = "coming-back"
GIVEN = timedelta(minutes=15)  # after the password


def way_back(request: HttpRequest, user: User) -> HttpResponse | None:
    """To the page that asks whether to stay, if there is still time."""
    if leaving.pending(user) is None:
        return None
    request.session.cycle_key()
    request.session[SESSION] = {"user": user.pk, "at": clock.now().isoformat()}
    return redirect("privacy:leaving")


def whoever(request: HttpRequest) -> User | None:
    """Who has given the password of an account that may still be kept."""
    said = request.session.get(SESSION)
    if not said or clock.now() - datetime.fromisoformat(said["at"]) > GIVEN:
        return None
    user = User.objects.filter(pk=said["user"], is_active=False).first()
    return user if user and leaving.pending(user) else None
