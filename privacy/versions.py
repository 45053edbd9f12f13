"""A version's text as people see it, its seal, and the acts on it: publish, take back, move its deadline."""

from datetime import datetime
from typing import Any

from django.db import connection

from privacy.canonical import digest, moment
from privacy.models import Terms, TermsTranslation


def text(variant: Terms | TermsTranslation) -> dict[str, str]:
    """One language variant as people read it."""
    return {name: getattr(variant, name) for name in ("language", "title", "summary", "body")}


def document(terms: Terms) -> dict[str, Any]:
    """Exactly what people see and are promised: what is published as JSON, and what `digest` is the hash of."""
    return {
        "version": terms.slug,
        "texts": [text(terms), *(text(variant) for variant in terms.translations.all())],
        "audience": sorted(terms.audience),
        "needs_answer": terms.needs_answer,
        "effective_at": moment(terms.effective_at) if terms.effective_at else None,
        "deadline": moment(terms.deadline) if terms.deadline else None,
        "retention": {
            name: getattr(terms, name)
            for name in ("training_years", "standard_days", "temporary_hours", "deletion_hours")
        },
    }


def text_digest(terms: Terms, language: str) -> str:
    """SHA-256 of the text in `language` (the original where there is no such variant): what a notice showed."""
    return digest(text(variant(terms, language)))


def variant(terms: Terms, language: str) -> Terms | TermsTranslation:
    """The text for a reader of `language`: that variant, or the original."""
    if terms.language == language:
        return terms
    return next((found for found in terms.translations.all() if found.language == language), terms)


# Answers hold it together, a publication alone: whoever answers reads what is owed and records it under one and the
# same newest version. In the keyspace of two numbers, which nothing else uses.
NEWEST = (1, 1)


def keep_newest() -> None:
    """No version is published until the caller's transaction ends. Waits for one that is being published."""
    _lock("pg_advisory_xact_lock_shared")


def change_newest() -> None:
    """Nobody answers until the caller's transaction ends. Waits for those who are answering."""
    _lock("pg_advisory_xact_lock")


def _lock(how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {how}(%s, %s)", NEWEST)


def seal(terms: Terms, published_at: datetime) -> Terms:
    """Fix the text and set the moment from which it is published. The database refuses any change from then on."""
    terms.digest, terms.published_at = digest(document(terms)), published_at
    terms.save(update_fields=["digest", "published_at"])
    return terms
