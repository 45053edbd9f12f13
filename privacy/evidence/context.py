"""Where an act came from, without saying it: address and browser as salted hashes.

Two acts of the same month can be seen to come from the same place. The salt changes every period and is dropped after
two; from then on nobody can try addresses against the hashes, whoever has them.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest

from accounts import clock
from privacy.models import ContextSalt

SALT_BYTES = 32
LOCK = 0x73616C74  # "salt": one is made at a time
PERIODS_KEPT = 2


def context_of(request: HttpRequest) -> dict[str, str]:
    """What an event keeps of a request. An address that cannot be told is left out."""
    salt = _salt()
    found = {"address": _network(request), "agent": request.headers.get("User-Agent", "")}
    return {"salt": str(salt.pk)} | {name: _hashed(salt, name, value) for name, value in found.items() if value}


def drop_salts() -> int:
    """Drop the salts whose time is over; returns how many."""
    dropped, _ = ContextSalt.objects.filter(from_at__lte=clock.now() - PERIODS_KEPT * _period()).delete()
    return dropped


def _network(request: HttpRequest) -> str:
    """The client's address as the settings trust it: a whole IPv4 address, of IPv6 the network that a home is given."""
    try:
        address = ip_address(get_adapter().get_client_ip(request))
    except (PermissionDenied, ValueError):
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    width = 64 if isinstance(address, IPv6Address) else 32
    return str(ip_network((address, width), strict=False))


def _hashed(salt: ContextSalt, name: str, value: str) -> str:
    return hmac.new(bytes(salt.salt), f"{name}\n{value}".encode(), hashlib.sha256).hexdigest()


def _salt() -> ContextSalt:
    """The salt of this period, made on first use."""
    return _current() or _made()


def _current() -> ContextSalt | None:
    return ContextSalt.objects.filter(from_at__gt=clock.now() - _period()).order_by("pk").last()


@transaction.atomic
def _made() -> ContextSalt:
    """A new salt, unless another process has made one meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return _current() or ContextSalt.objects.create(salt=secrets.token_bytes(SALT_BYTES))


def _period() -> timedelta:
    return timedelta(days=settings.LEDGER_SALT_DAYS)
