from privacy.models.ledger import Event, Subject, Tombstone
from privacy.models.standing import Standing
from privacy.models.sweep import SweepRun
from privacy.models.tagged import Tagged, TaggedQuerySet
from privacy.models.terms import Terms

__all__ = ["Event", "Standing", "Subject", "SweepRun", "Tagged", "TaggedQuerySet", "Terms", "Tombstone"]
