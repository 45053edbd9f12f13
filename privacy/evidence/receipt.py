"""The receipt of a choice: ISO/IEC TS 27560:2023 in the W3C Data Privacy Vocabulary, with the proof in the same file.

What it says in the vocabulary's words is there for machines that know them; what it proves are the ledger's events, the
terms that were answered, and their place under a signed head (privacy/evidence/checking.py, docs/receipts.md).
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from privacy import versions
from privacy.canonical import moment
from privacy.evidence import checking, entry, keys, tree
from privacy.models import Event, Terms
from privacy.vocabulary import Act

SAID = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")
# Acts that one has a receipt of: everything that somebody chose.
CHOICES = (
    *(Act.TERMS_ACCEPTED, Act.TRAINING_ALLOWED, Act.TRAINING_DENIED, Act.TRAINING_WITHDRAWN, Act.TRAINING_ENDED),
    *(Act.HISTORY_KEPT, Act.HISTORY_NOT_KEPT, Act.DEFERRED),
)
CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "parley": "urn:parley:receipt:1#",
    "dct:created": {"@type": "xsd:dateTime"},
    "dct:conformsTo": {"@type": "@id"},
    # Evidence is bytes to be hashed, not statements to be read.
    "parley:evidence": {"@type": "@json"},
    "parley:terms": {"@type": "@json"},
    "parley:keys": {"@type": "@json"},
}


def together(event: Event) -> list[Event]:
    """The events of the same act as `event`, in their order: terms, answer and history are chosen at once."""
    same = Event.objects.filter(subject=event.subject, at=event.at, act__in=[act.value for act in CHOICES])
    return list(same.order_by("pk")) if event.subject else [event]


def receipt_of(event: Event) -> dict[str, Any]:
    """The receipt of `event` and what was chosen with it."""
    events = together(event)
    said = [{name: getattr(one, name) for name in SAID} for one in events]
    terms = Terms.objects.prefetch_related("translations").filter(digest=event.terms).first() if event.terms else None
    proofs = [tree.proof_of(one) for one in events]
    return {
        "@context": CONTEXT,
        "@id": _urn(event.key),
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": str(event.key),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt-record",
        "dct:created": moment(event.at),
        "dct:publisher": _controller(),
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": _record(event, events, terms),
        "parley:form": checking.FORM,
        "parley:terms": versions.document(terms) if terms else None,
        "parley:evidence": [
            {
                "event": entry.said(**one),
                "proof": proof
                and {"position": proof.position, "size": proof.size, "path": proof.path, "head": proof.head},
            }
            for one, proof in zip(said, proofs, strict=True)
        ],
        "parley:keys": keys.listed(),
    }


def _record(event: Event, events: list[Event], terms: Terms | None) -> dict[str, Any]:
    """What was chosen, in the vocabulary's words."""
    notice = str(event.detail.get("notice", ""))
    record: dict[str, Any] = {
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(event.key),
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dpv:hasDataSubject": {"@id": _urn(event.subject), "@type": "dpv:User"} if event.subject else None,
        "dpv:hasDataController": _controller(),
        "dpv:hasProcess": [_process(one, terms) for one in events if one.act in checking.STATUS],
    }
    if terms:
        record["dpv:hasNotice"] = {
            "@type": "dpv:ConsentNotice",
            "@id": _urn(UUID(notice)) if notice else None,
            "dct:identifier": terms.digest,
            "dct:title": versions.variant(terms, str(event.detail.get("language", terms.language))).title,
            "dct:language": event.detail.get("language", terms.language),
            "schema:url": settings.LINK_ORIGIN + terms.get_absolute_url(),
        }
    return record


def _process(event: Event, terms: Terms | None) -> dict[str, Any]:
    """One question and its answer."""
    name, purpose, basis = checking.PURPOSE[event.act]
    process: dict[str, Any] = {
        "@type": "dpv:Process",
        "dct:title": name,
        "dpv:hasPurpose": purpose,
        "dpv:hasLegalBasis": basis,
        "dpv:hasPersonalData": "schema:Conversation",
        "dpv:hasConsentStatus": checking.STATUS[event.act],
        "dct:date": moment(event.at),
        "dpv:isExercisedAt": settings.LINK_ORIGIN + reverse("privacy:settings"),
        "dpv:hasRight": "https://w3id.org/dpv/legal/eu/gdpr#A7-3",
    }
    if terms and event.act == Act.TRAINING_ALLOWED:
        process["dpv:hasDuration"] = f"P{terms.training_years}Y"
    elif terms and event.act in {Act.TRAINING_DENIED, Act.TRAINING_WITHDRAWN}:
        process["dpv:hasDuration"] = f"P{terms.standard_days}D"
    return process


def _controller() -> dict[str, Any]:
    return {
        "@type": "dpv:DataController",
        "schema:name": settings.CONTROLLER["name"],
        "schema:url": settings.LINK_ORIGIN,
        "schema:email": settings.CONTROLLER["contact"] or None,
    }


def _urn(key: UUID | None) -> str:
    return f"urn:uuid:{key}"
