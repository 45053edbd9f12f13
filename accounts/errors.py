"""What accounts refuse, in words that every edge can translate."""

from django.http import Http404


class NotFound(Http404):
    """Unknown or not yours: nobody learns which. Pages answer 404 by themselves; sockets translate it."""


class SignedOut(Exception):
    """The session of a connection has ended since it began."""
