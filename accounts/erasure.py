"""Taking a person out of the account rows. Whoever calls this has shut them out already (privacy/erasure.py)."""

from collections.abc import Iterator

from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from accounts.models import Membership, User, Workspace
from accounts.sessions import SessionStore

AT_ONCE = 1_000


def erase(user: User) -> Iterator[int]:
    """Sessions, what staff's log says of the person, addresses, memberships; then the row itself is left nameless.

    Yields the number of rows of each step. The row stays as long as something points to it that has to.
    """
    yield from _end_sessions(user)
    yield LogEntry.objects.filter(_logged(user)).delete()[0]
    yield EmailAddress.objects.filter(user=user).delete()[0]
    yield Membership.objects.filter(user=user).delete()[0]
    yield _strip(user)


def _end_sessions(user: User) -> Iterator[int]:
    """A session names its person in its data only, so all are looked through."""
    last, store = "", SessionStore()
    while page := _sessions_after(last):
        mine = [key for key, data in page if store.decode(data).get(SESSION_KEY) == str(user.pk)]
        if mine:
            yield Session.objects.filter(session_key__in=mine).delete()[0]
        last = page[-1][0]


def _sessions_after(key: str) -> list[tuple[str, str]]:
    rows = Session.objects.filter(session_key__gt=key).order_by("session_key")
    return list(rows.values_list("session_key", "session_data")[:AT_ONCE])


def _logged(user: User) -> Q:
    """Entries by the person, and those about them or their personal workspace."""
    about = {User: [user.pk], Workspace: Workspace.objects.filter(personal_to=user).values_list("pk", flat=True)}
    entries = Q(user=user)
    for model, keys in about.items():
        entries |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(key) for key in keys])
    return entries


@transaction.atomic
def _strip(user: User) -> int:
    """Nothing in the row says who it was, whatever was saved over it meanwhile; 0 if that is so already."""
    here = User.objects.select_for_update().filter(pk=user.pk).first()
    if here is None:  # another worker has come to the end
        return 0
    user = here
    if user.email == _nameless(user) and not any((user.display_name, user.date_of_birth, user.region, user.is_staff)):
        return 0
    nobody = User(pk=user.pk, is_active=False, joined_at=user.joined_at)
    nobody.email = _nameless(nobody)
    nobody.set_unusable_password()
    nobody.save(force_update=True)
    user.groups.clear()
    user.user_permissions.clear()
    return 1


def _nameless(user: User) -> str:
    return f"{user.public_id}@erased.invalid"
