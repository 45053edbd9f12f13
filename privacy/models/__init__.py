from privacy.models.agreement import Agreed, Agreement, agreement_of
from privacy.models.erasure import Erasure
from privacy.models.hold import Hold
from privacy.models.ledger import ContextSalt, Event, Subject, Tombstone
from privacy.models.notice import Notice, Reminder
from privacy.models.outbox import Outbox
from privacy.models.standing import Standing
from privacy.models.sweep import SweepRun, SweepStop
from privacy.models.tagged import Tagged, TaggedQuerySet
from privacy.models.terms import DeadlineMove, Terms, TermsQuerySet, TermsTranslation
from privacy.models.tree import Leaf, LedgerKey, TreeHead, TreeNode

__all__ = [
    "Agreed",
    "Agreement",
    "ContextSalt",
    "DeadlineMove",
    "Erasure",
    "Event",
    "Hold",
    "Leaf",
    "LedgerKey",
    "Notice",
    "Outbox",
    "Reminder",
    "Standing",
    "Subject",
    "SweepRun",
    "SweepStop",
    "Tagged",
    "TaggedQuerySet",
    "Terms",
    "TermsQuerySet",
    "TermsTranslation",
    "Tombstone",
    "TreeHead",
    "TreeNode",
    "agreement_of",
]
