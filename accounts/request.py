"""What the middleware of this app adds to a request, declared for the reader and the type checker."""

from collections.abc import Sequence

from django.http import HttpRequest

from accounts.models import User, Workspace


class PersonalRequest(HttpRequest):
    """A request of a person who is signed in."""

    user: User
    workspace: Workspace
    workspaces: Sequence[Workspace]
