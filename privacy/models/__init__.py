from privacy.models.agreement import Agreed, Agreement, agreement_of
from privacy.models.deletion import AccountCertificate, Deletion
from privacy.models.erasure import Erasure
from privacy.models.expiry import ExpiryNotice, ExpirySetting
from privacy.models.export import Export
from privacy.models.flag import Appeal, Flag
from privacy.models.guard import GuardEntry
from privacy.models.hold import Hold
from privacy.models.ledger import ContextSalt, Event, Subject, Tombstone
from privacy.models.letter import Letter
from privacy.models.notice import Notice, Reminder
from privacy.models.outbox import Forgotten, Outbox
from privacy.models.reading import Reader, Reading
from privacy.models.retagging import Retagging
from privacy.models.standing import Standing
from privacy.models.sweep import SweepRun, SweepStop, SweepTotal
from privacy.models.tagcheck import TagCheck
from privacy.models.tagged import Tagged, TaggedQuerySet
from privacy.models.terms import DeadlineMove, Terms, TermsQuerySet, TermsTranslation
from privacy.models.tree import Leaf, LedgerKey, TreeHead, TreeNode

__all__ = [
    "AccountCertificate",
    "Agreed",
    "Agreement",
    "Appeal",
    "ContextSalt",
    "DeadlineMove",
    "Deletion",
    "Erasure",
    "Event",
    "ExpiryNotice",
    "ExpirySetting",
    "Export",
    "Flag",
    "Forgotten",
    "GuardEntry",
    "Hold",
    "Leaf",
    "LedgerKey",
    "Letter",
    "Notice",
    "Outbox",
    "Reader",
    "Reading",
    "Reminder",
    "Retagging",
    "Standing",
    "Subject",
    "SweepRun",
    "SweepStop",
    "SweepTotal",
    "TagCheck",
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
