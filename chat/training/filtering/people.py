"""What Presidio finds: addresses, accounts, numbers, and with a model that is installed, names.

Nothing is fetched. An e-mail address is one by its form, whatever its last label, so that no list of public suffixes is
needed; a model for names is loaded only if its package is there.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import presidio_analyzer.predefined_recognizers as known
import regex
import spacy.util
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngine, NoOpNlpEngine, SpacyNlpEngine

from chat.training.filtering.finding import Found, read_settings

LANGUAGE = "en"  # patterns know none, but every recogniser of Presidio's is filed under one
FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE


class TookTooLong(Exception):
    """A pattern was not through with a text in time."""


class InTime:
    """A pattern as Presidio asks it. Presidio passes over one that takes too long, and lets the text through."""

    def __init__(self, pattern: str) -> None:
        self.pattern = regex.compile(pattern, FLAGS)

    def finditer(self, text: str, timeout: float) -> Iterator[Any]:
        try:
            yield from self.pattern.finditer(text, timeout=read_settings()["seconds"])
        except TimeoutError:
            raise TookTooLong from None


class Email(known.EmailRecognizer):
    """Also of domains that are on no list: what looks like an address is somebody's."""

    def validate_result(self, pattern_text: str) -> bool:
        return True


def find(text: str) -> list[Found]:
    told = read_settings()["placeholders"]
    results = _analyzer().analyze(text, LANGUAGE, entities=_kinds(), regex_flags=FLAGS)
    return [Found(one.start, one.end, told[one.entity_type], one.score) for one in results]


def _kinds() -> list[str]:
    """What is looked for: names only with a model for them."""
    said = read_settings()
    without = set() if settings.TRAINING_NAMES_MODEL else set(said["names"]["entities"])
    return [kind for kind in said["placeholders"] if kind not in without]


def names_model() -> str:
    """The model for names with its version."""
    name: str = settings.TRAINING_NAMES_MODEL
    if not spacy.util.is_package(name):
        raise ImproperlyConfigured(f"TRAINING_NAMES_MODEL is “{name}”, and no such model is installed here.")
    return f"{name} {spacy.util.get_package_version(name)}"


@cache
def _analyzer() -> AnalyzerEngine:
    recognisers = [_recogniser(name) for name in read_settings()["presidio"]["recognisers"]]
    if settings.TRAINING_NAMES_MODEL and names_model():
        engine: NlpEngine = SpacyNlpEngine([{"lang_code": LANGUAGE, "model_name": settings.TRAINING_NAMES_MODEL}])
        entities = read_settings()["names"]["entities"]
        recognisers.append(known.SpacyRecognizer(supported_language=LANGUAGE, supported_entities=entities))
    else:
        engine = NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": "none"}])
    engine.load()
    registry = RecognizerRegistry(recognizers=recognisers, supported_languages=[LANGUAGE])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[LANGUAGE])


def _recogniser(name: str) -> EntityRecognizer:
    said = read_settings()
    if name == "EmailRecognizer":
        found: EntityRecognizer = Email(supported_language=LANGUAGE)
    elif name == "PhoneRecognizer":
        found = known.PhoneRecognizer(
            supported_language=LANGUAGE, supported_regions=said["regions"], leniency=said["leniency"]
        )
    else:
        found = getattr(known, name)(supported_language=LANGUAGE)
    if isinstance(found, PatternRecognizer):
        patterns: list[Any] = vars(found)["patterns"]
        for pattern in patterns:
            pattern.compiled_regex, pattern.compiled_with_flags = InTime(pattern.regex), FLAGS
    return found
