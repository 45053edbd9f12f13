"""Replacing the ledger's keys: the new signing key is vouched for by the old, and the act is itself recorded.

Secrets that this installation made stand in private files and are replaced there. Those that the environment names are
replaced by the operator, who gives the new one and the one before it; the act then only makes the change known.
"""

import secrets

from django.conf import settings
from django.db import connection, transaction

from accounts import clock
from privacy import ledger
from privacy.canonical import moment
from privacy.evidence import files, heads, keys, tree
from privacy.models import Event, LedgerKey, TreeHead
from privacy.vocabulary import Act, Source


class NothingToRotate(Exception):
    """The environment names no new key; the message says what to do."""


def rotate_signing_key() -> LedgerKey:
    """Let a new key sign from now on. Raises NothingToRotate, or keys.NoSigningKey."""
    own_file = files.current(keys.SIGNING_FILE) == settings.LEDGER_SIGNING_KEY
    secret = secrets.token_urlsafe(48) if own_file else settings.LEDGER_SIGNING_KEY
    if own_file:
        _finish_earlier()
        files.introduce(keys.SIGNING_FILE, secret)
    new = _introduce(secret)
    if own_file:
        files.promote(keys.SIGNING_FILE)
    return new


def rotate_mac_key() -> str:
    """Let a new key authenticate events from now on (processes that run: from their next start); returns its id."""
    before, _ = keys.mac_key()
    if files.current(keys.MAC_FILE) == settings.LEDGER_MAC_KEY:
        secret = secrets.token_urlsafe(48)
        files.set_aside(keys.MAC_FILE, before)
        files.introduce(keys.MAC_FILE, secret)
        _record("mac", keys.key_id(secret.encode()), before)
        files.promote(keys.MAC_FILE)
        return keys.key_id(secret.encode())
    used = Event.objects.order_by("pk").values_list("mac_key", flat=True).last()
    if used in {None, before}:
        raise NothingToRotate("give the new key as LEDGER_MAC_KEY, and add the one so far to LEDGER_OLD_MAC_KEYS")
    if used not in keys.mac_keys():
        raise NothingToRotate(f"add the key so far ({used}) to LEDGER_OLD_MAC_KEYS, or its events cannot be checked")
    _record("mac", before, used)
    return before


@transaction.atomic
def _introduce(secret: str) -> LedgerKey:
    """Publish a key with the voucher of the one before, while nothing is being signed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [tree.LOCK])
    last, now = TreeHead.objects.first(), clock.now()
    since = max(now, last.at) if last else now
    public = heads.public_of(keys.private(secret))
    said = {"key": heads.key_id(public), "public": public, "from": moment(since)}
    newest = LedgerKey.objects.last()
    if newest is None:
        return LedgerKey.objects.create(key_id=said["key"], public=public, from_at=since)
    if newest.key_id == said["key"]:
        raise NothingToRotate("give the new key as LEDGER_SIGNING_KEY, and the one so far as LEDGER_OLD_SIGNING_KEY")
    new = LedgerKey.objects.create(
        key_id=said["key"],
        public=public,
        from_at=since,
        vouched_by=newest.key_id,
        voucher=heads.vouch(said, keys.signing_key()),
    )
    _record("signing", new.key_id, newest.key_id)
    return new


def _finish_earlier() -> None:
    """An earlier rotation may have died between publishing its key and putting the secret half in its place."""
    newest = LedgerKey.objects.last()
    secret = files.following(keys.SIGNING_FILE)
    if newest and secret and heads.key_id(heads.public_of(keys.private(secret))) == newest.key_id:
        files.promote(keys.SIGNING_FILE)


def _record(kind: str, key: str, before: str) -> None:
    ledger.record(Act.KEY_ROTATED, source=Source.OPERATOR, detail={"kind": kind, "key": key, "before": before})
