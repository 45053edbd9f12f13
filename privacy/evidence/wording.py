"""What a receipt says in the words of the W3C Data Privacy Vocabulary, drawn from its evidence alone. Pure.

The product writes it, and whoever checks a receipt writes it anew from the evidence in it and compares: nothing can be
said there that the events and the terms do not say. Only who issued it (`UNPROVEN`) is the receipt's own word.
The terms are those of the vocabulary's guide to ISO/IEC TS 27560:2023 (w3id.org/dpv/guides/consent-27560).
A change here is a new FORM, and one in docs/verify_receipt.py: receipts of the old one stay in people's hands.
"""

from collections.abc import Mapping
from typing import Any

FORM = 1
PROFILE = "https://w3id.org/dpv/schema/dpv-27560#"
CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "dct": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "parley": "urn:uuid:22d6ff86-ea7b-47c5-a1a5-86cfe09faf49#",
    "dct:conformsTo": {"@type": "@id"},
    "dct:created": {"@type": "xsd:dateTime"},
    "schema:url": {"@type": "@id"},
    "dpv:hasDataController": {"@type": "@id"},
    "dpv:hasJurisdiction": {"@type": "@id"},
    "dpv:hasPurpose": {"@type": "@id"},
    "dpv:hasLegalBasis": {"@type": "@id"},
    "dpv:hasPersonalData": {"@type": "@id"},
    "dpv:hasDuration": {"@type": "xsd:duration"},
    "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
    "dpv:isIndicatedBy": {"@type": "@id"},
    "dpv:isExercisedAt": {"@type": "@id"},
    # Evidence is bytes to be hashed, not statements to be read.
    "parley:evidence": {"@type": "@json"},
}

# What a receipt says of its issuer and nothing in it proves.
UNPROVEN = ("dpv:hasName", "dpv:hasContact", "dpv:hasAddress", "dpv:hasJurisdiction")

SERVICE, TRAINING, HISTORY = (
    ("The service under these terms", "dpv:ServiceProvision", "dpv:Contract"),
    ("Training models", "dpv:ImproveExistingProductsAndServices", "dpv:ExpressedConsent"),
    ("Keeping the history", "dpv:RequestedServiceProvision", "dpv:ExpressedConsent"),
)
# Which question an act answers, and how.
ANSWERS = {
    "terms_accepted": (SERVICE, "dpv:ConsentGiven"),
    "deferred": (SERVICE, "dpv:ConsentRequestDeferred"),
    "training_allowed": (TRAINING, "dpv:ConsentGiven"),
    "training_denied": (TRAINING, "dpv:ConsentRefused"),
    "training_withdrawn": (TRAINING, "dpv:ConsentWithdrawn"),
    "training_ended": (TRAINING, "dpv:ConsentRevoked"),  # by the operator; withdrawn is what a person does
    "history_kept": (HISTORY, "dpv:ConsentGiven"),
    "history_not_kept": (HISTORY, "dpv:ConsentWithdrawn"),
}


def issuer(site: str, given: Mapping[str, str]) -> dict[str, str]:
    """Who answers for the data: `site` is where people reach the product, with a slash; `given` are of `UNPROVEN`."""
    return {"@id": site, "@type": "dpv:DataController", "dct:identifier": site, **given}


def receipt(issued_by: Mapping[str, str], key: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt of the event `key`, and of those chosen with it. Raises KeyError and the like for no evidence."""
    sealed = {"dct:created": evidence["head"]["at"]} if "head" in evidence else {}
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{key}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": key,
        "dct:conformsTo": f"{PROFILE}receipt",
        **sealed,
        "dct:publisher": issued_by,
        "dpv:hasRecordOfActivity": _record(issued_by["@id"], key, evidence),
        "parley:form": FORM,
        "parley:evidence": evidence,
    }


def _record(site: str, key: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    events, terms = [one["event"] for one in evidence["events"]], evidence["terms"]
    event = {event["key"]: event for event in events}[key]
    where = f"{site}privacy/"
    return {
        "@id": f"urn:uuid:{key}#record",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": key,
        "dct:conformsTo": f"{PROFILE}record",
        "dpv:hasDataSubject": {"@id": f"urn:uuid:{event['subject']}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": site,
        "dpv:hasNotice": _notice(site, event, terms),
        "dpv:hasProcess": [_process(event, terms["retention"]) for event in events],
        "dpv:hasConsentControl": {"@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"], "dpv:isExercisedAt": where},
        "dpv:hasRight": {"@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"], "dpv:isExercisedAt": where},
    }


def _notice(site: str, event: Mapping[str, Any], terms: Mapping[str, Any]) -> dict[str, Any]:
    """What was shown: the version, in the language in which the person read it, and the event of showing it."""
    texts = {text["language"]: text for text in terms["texts"]}
    text = texts.get(event["detail"].get("language"), terms["texts"][0])
    shown = {"@id": f"urn:uuid:{event['detail']['notice']}"} if "notice" in event["detail"] else {}
    return {
        **shown,
        "@type": "dpv:ConsentNotice",
        "dct:identifier": event["terms"],
        "dct:title": text["title"],
        "dct:language": text["language"],
        "schema:url": f"{site}terms/{terms['version']}/",
    }


def _process(event: Mapping[str, Any], retention: Mapping[str, int]) -> dict[str, Any]:
    """One question and its answer."""
    (title, purpose, basis), status = ANSWERS[event["act"]]
    return {
        "@type": "dpv:Process",
        "dct:title": title,
        "dpv:hasPurpose": purpose,
        "dpv:hasLegalBasis": basis,
        "dpv:hasPersonalData": "pd:Communication",
        **_storage(event["act"], retention),
        "dpv:hasConsentStatus": {
            "@type": status,
            "dpv:isIndicatedBy": "dpv:DataSubject" if event["actor"] == event["subject"] else "dpv:DataController",
            "dpv:isIndicatedAtTime": event["at"],
            "dpv:hasIndicationMethod": _method(event),
        },
    }


def _storage(act: str, retention: Mapping[str, int]) -> dict[str, Any]:
    """For how long after its last message an answer lets a conversation be kept."""
    durations = {
        "training_allowed": f"P{retention['training_years']}Y",
        "training_denied": f"P{retention['standard_days']}D",
        "training_withdrawn": f"P{retention['standard_days']}D",
    }
    if act not in durations:
        return {}
    return {"dpv:hasStorageCondition": {"@type": "dpv:StorageDuration", "dpv:hasDuration": durations[act]}}


def _method(event: Mapping[str, Any]) -> str:
    """Through which door the answer came, and how the browser stood to it."""
    gpc = "; the browser asked not to share data (Sec-GPC)" if event["detail"].get("gpc") is True else ""
    despite = "; confirmed in spite of that" if despite_signal(event["act"], event["detail"]) else ""
    source: str = event["source"]
    return source + gpc + despite


def despite_signal(act: str, detail: Mapping[str, Any]) -> bool:
    """Whether this is an Allow that was confirmed against the browser's wish; no other answer can be."""
    return act == "training_allowed" and detail.get("despite_gpc") is True
