"""The receipt of a choice: ISO/IEC TS 27560:2023 in the W3C Data Privacy Vocabulary, with the proof in the same file.

Its words are drawn from its evidence (wording.py): the terms that were answered, the ledger's events, their place under
a signed head, and the keys. Whoever has the file checks it without this server (checking.py, docs/receipts.md).
"""

import json
from typing import Any

from django.conf import settings

from privacy import versions
from privacy.evidence import entry, keys, tree, wording
from privacy.models import Event, Terms, TreeHead
from privacy.vocabulary import Act

SAID = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")
# Acts that one has a receipt of: everything that somebody chose.
CHOICES = (
    *(Act.TERMS_ACCEPTED, Act.TRAINING_ALLOWED, Act.TRAINING_DENIED, Act.TRAINING_WITHDRAWN, Act.TRAINING_ENDED),
    *(Act.HISTORY_KEPT, Act.HISTORY_NOT_KEPT, Act.DEFERRED),
)


def together(event: Event) -> list[Event]:
    """The events of the same act as `event`, in their order: terms, answer and history are chosen at once."""
    acts: list[list[Event]] = []
    for one in Event.objects.filter(subject=event.subject, at=event.at).order_by("pk"):
        if acts and _belongs(one, acts[-1]):
            acts[-1].append(one)
        else:
            acts.append([one])
    return next(act for act in acts if event in act)


def _belongs(event: Event, act: list[Event]) -> bool:
    """Whether `event` is of the same act as those. Two acts may bear the same moment: then a question is answered
    again, or what they were given in reply to differs."""
    last = act[-1]
    if not {event.act, last.act} <= set(wording.ANSWERS) or event.previous != last.hash:
        return False
    same = all(
        getattr(event, name) == getattr(last, name) for name in ("source", "actor", "terms", "detail", "context")
    )
    return same and _question(event) not in map(_question, act)


def _question(event: Event) -> tuple[str, str, str]:
    return wording.ANSWERS[event.act][0]


def receipt_of(event: Event) -> dict[str, Any]:
    """The receipt of `event` and what was chosen with it; without a head in it while that is being sealed."""
    return wording.receipt(_issuer(), str(event.key), _evidence(together(event)))


def name_of(event: Event, *, sealed: bool) -> str:
    """What its file is called."""
    return f"parley-receipt-{event.at:%Y-%m-%d}-{str(event.key)[:8]}{'' if sealed else '-not-sealed'}.json"


def written(said: dict[str, Any]) -> str:
    """The receipt as its file has it."""
    return json.dumps(said, ensure_ascii=False, indent=1)


def is_sealed(said: dict[str, Any]) -> bool:
    return "head" in said["parley:evidence"]


def _evidence(events: list[Event]) -> dict[str, Any]:
    answered = {"terms": versions.document(terms_of(events[0]))}
    said = [entry.said(**{name: getattr(event, name) for name in SAID}) for event in events]
    head = TreeHead.objects.first()
    proofs = [tree.proof_of(event, head) for event in events]
    if head is None or None in proofs:
        return {**answered, "events": [{"event": one} for one in said]}
    proven = [
        {"event": one, "position": proof.position, "path": proof.path}
        for one, proof in zip(said, proofs, strict=True)
        if proof
    ]
    return {**answered, "events": proven, "head": head.published(), "keys": _keys()}


def _keys() -> list[dict[str, str]]:
    """The public keys. The first says only what it is: when it began, nothing vouches for."""
    first, *later = keys.listed()
    return [{name: first[name] for name in ("key", "public")}, *later]


def terms_of(event: Event) -> Terms:
    """The version that `event` answers."""
    return Terms.objects.prefetch_related("translations").get(digest=event.terms)


def _issuer() -> dict[str, str]:
    controller = settings.CONTROLLER
    given = {
        "dpv:hasName": controller["name"],
        "dpv:hasContact": controller["contact"],
        "dpv:hasAddress": controller["address"],
        "dpv:hasJurisdiction": controller["country"] and f"loc:{controller['country']}",
    }
    return wording.issuer(f"{settings.LINK_ORIGIN}/", {name: value for name, value in given.items() if value})
