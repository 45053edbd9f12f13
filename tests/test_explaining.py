"""No sentence of the "why?" page is untrue of the conversation that it is said of: every combination of facts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest

from privacy.explaining import ON_ITS_WAY, why_kept, why_trains
from privacy.policy import Agreement, Duration, Flags, Schedule, Standing, rule
from privacy.vocabulary import Reason, RetentionClass, Training

GROWN = date(2008, 5, 1)
FLAGS = [
    Flags(**dict(zip(Flags.__dataclass_fields__, values, strict=True)))
    for values in product([True, False], repeat=len(Flags.__dataclass_fields__))
]
STANDINGS = [
    Standing(training=training, keep_history=keeps, adult_since=grown, suspended_from=rests)
    for training in (None, *Training)
    for keeps in (True, False)
    for grown in (None, GROWN)
    for rests in (None, datetime(2026, 1, 1, tzinfo=UTC))
]
AGREEMENTS = [Agreement(lifetime, training) for lifetime in (None, Duration(days=60)) for training in (True, False)]
CASES = list(product(FLAGS, STANDINGS, AGREEMENTS))

# What a sentence claims, by words that are in it. Each must be so wherever it is said.
CLAIMS_OF_TRAINING = {
    "You allowed training": lambda f, s, a: s.training is Training.ALLOW and f.personal and f.in_epoch,
    "You did not allow training": lambda f, s, a: s.training is Training.DENY and f.personal,
    "You have not answered": lambda f, s, a: s.training is None and f.personal,
    "under the permission that stands now": lambda f, s, a: (
        not f.in_epoch and (s.training is Training.ALLOW if f.personal else a.training)
    ),
    "An owner of this workspace allowed": lambda f, s, a: not f.personal and a.training and f.in_epoch,
    "no yes stands": lambda f, s, a: not f.personal and not a.training,
    "Temporary chats": lambda f, s, a: f.temporary and not f.kept,
    "was begun as a temporary one": lambda f, s, a: f.temporary and f.kept,
    "You deleted": lambda f, s, a: f.deleted,
    "is held": lambda f, s, a: f.held,
    "under safety review": lambda f, s, a: f.flagged,
    "You were under age when": lambda f, s, a: not f.begun_as_adult and s.adult_since,
    "under age, or whose age is unknown": lambda f, s, a: not f.begun_as_adult or s.adult_since is None,
}
CLAIMS_OF_KEEPING = {
    "temporary chat": lambda f, s, a: f.temporary and not f.kept,
    "its agreement says": lambda f, s, a: not f.personal and a.lifetime is not None,
    "given no end": lambda f, s, a: not f.personal and a.lifetime is None,
    "You kept this chat": lambda f, s, a: f.kept and f.personal,
    "also keep your whole history": lambda f, s, a: f.kept and s.keep_history,
    "You asked to keep your history": lambda f, s, a: s.keep_history and not f.kept and f.personal,
    "Chats that may train": lambda f, s, a: f.personal and f.in_epoch and s.training is Training.ALLOW,
    "Chats that do not train": lambda f, s, a: f.personal and not f.kept and not s.keep_history,
}


def claimed(sentence: str, claims: dict) -> list[str]:
    found = [words for words in claims if words in sentence]
    assert found, f"says nothing that this table knows: {sentence}"
    return found


def test_every_reason_is_true_wherever_it_is_said():
    said = set()
    for flags, standing, agreement in CASES:
        sentence = why_trains(flags, standing, agreement)
        for words in claimed(sentence, CLAIMS_OF_TRAINING):
            assert CLAIMS_OF_TRAINING[words](flags, standing, agreement), (sentence, flags, standing, agreement)
            said.add(words)
    assert said == set(CLAIMS_OF_TRAINING), "each is said of something"


def test_every_sentence_about_its_end_is_true_wherever_it_is_said():
    said = set()
    for flags, standing, agreement in CASES:
        ruled = rule(flags, standing, Schedule(agreement=agreement))
        sentence = why_kept(flags, standing, agreement, ruled.retention_class)
        for words in claimed(sentence, CLAIMS_OF_KEEPING):
            assert CLAIMS_OF_KEEPING[words](flags, standing, agreement), (sentence, flags, standing, agreement)
            said.add(words)
    assert said == set(CLAIMS_OF_KEEPING)


@pytest.mark.parametrize("overlay", ["deleted", "held", "flagged"])
@pytest.mark.parametrize("of", RetentionClass)
def test_what_lies_over_a_class_is_what_is_said_of_training(of, overlay):
    said = {
        "deleted": "You deleted this chat. Deleted chats never train models.",
        "held": "This chat is held for a legal reason and trains no models while it is.",
        "flagged": "This chat is under safety review and trains no models while it is.",
    }[overlay]
    bare = [one for one in FLAGS if not (one.deleted or one.held or one.flagged)]
    for flags, standing, agreement in product(bare, STANDINGS, AGREEMENTS):
        flags = replace(flags, **{overlay: True})
        if rule(flags, standing, Schedule(agreement=agreement)).retention_class is of:
            assert why_trains(flags, standing, agreement) == said


def test_a_tag_that_says_another_class_is_not_explained_by_it():
    standard = Flags(personal=True, begun_as_adult=True)
    now = Standing(training=Training.DENY, adult_since=GROWN)
    assert why_kept(standard, now, Agreement(), RetentionClass.KEPT) == ON_ITS_WAY
    assert why_kept(standard, now, Agreement(), RetentionClass.STANDARD) == RetentionClass.STANDARD.sentence


def test_every_reason_of_the_policy_has_been_tried():
    reasons = {rule(flags, standing, Schedule(agreement=agreement)).reason for flags, standing, agreement in CASES}
    assert reasons == set(Reason)
