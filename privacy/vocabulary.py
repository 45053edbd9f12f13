"""The words of consent and retention, each with the sentence that people read. No Django here."""

from enum import StrEnum


class Training(StrEnum):
    """A person's answer to the training question."""

    ALLOW = "allow"
    DENY = "deny"

    @property
    def words(self) -> str:
        return {"allow": "Allow", "deny": "Don't allow"}[self.value]


class RetentionClass(StrEnum):
    """How long a conversation is kept; the first that fits, in this order."""

    TEMPORARY = "temporary"
    AGREEMENT = "agreement"
    KEPT = "kept"
    TRAINING = "training"
    STANDARD = "standard"

    @property
    def sentence(self) -> str:
        return {
            "temporary": "This is a temporary chat: it is hidden soon after its last message, whatever you chose.",
            "agreement": "This chat belongs to a Work workspace: its agreement says how long it is kept.",
            "kept": "You asked to keep your history, so this chat stays until you let it go or delete it.",
            "training": "Chats that may train models are kept for longer, counted from their last message.",
            "standard": "Chats that do not train models are hidden after a while, counted from their last message.",
        }[self.value]


class Reason(StrEnum):
    """Why a conversation may, or may not, train models."""

    ALLOWED = "allowed"
    AGREED = "agreed"
    TEMPORARY = "temporary"
    AGREEMENT = "agreement"
    DELETED = "deleted"
    HELD = "held"
    FLAGGED = "flagged"
    AGE = "age"
    UNDECIDED = "undecided"
    DENIED = "denied"
    BEGUN_BEFORE = "begun_before"

    @property
    def sentence(self) -> str:
        return {
            "allowed": "You allowed training, this chat was begun afterwards, and your answer has stood ever since.",
            "agreed": "An owner of this workspace allowed training; this chat was begun afterwards, and that stands.",
            "temporary": "Temporary chats never train models.",
            "agreement": "Work chats train no models unless an owner of the workspace says yes, and no yes stands.",
            "deleted": "You deleted this chat. Deleted chats never train models.",
            "held": "This chat is held for a legal reason and trains no models while it is.",
            "flagged": "This chat is under safety review and trains no models while it is.",
            "age": "Chats of people who are under age, or whose age is unknown, never train models.",
            "undecided": "You have not answered the training question. Silence is never consent.",
            "denied": "You did not allow training.",
            "begun_before": "This chat was not begun under the permission that stands now, so it never trains models.",
        }[self.value]


class TermsState(StrEnum):
    """Where a version of the terms is on its way; it follows from its moments and is stored nowhere."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"  # sealed, and not yet published
    PUBLISHED = "published"
    SUPERSEDED = "superseded"  # a newer one is published


class Order(StrEnum):
    """Which of the two answers a person sees first."""

    ALLOW_FIRST = "allow_first"
    DENY_FIRST = "deny_first"


class Act(StrEnum):
    """What the ledger records."""

    NOTICE_SHOWN = "notice_shown"
    GPC_SEEN = "gpc_seen"
    DEFERRED = "deferred"
    TERMS_ACCEPTED = "terms_accepted"
    TRAINING_ALLOWED = "training_allowed"
    TRAINING_DENIED = "training_denied"
    TRAINING_WITHDRAWN = "training_withdrawn"
    TRAINING_ENDED = "training_ended"
    HISTORY_KEPT = "history_kept"
    HISTORY_NOT_KEPT = "history_not_kept"
    EXCHANGE_ALLOWED = "exchange_allowed"
    EXCHANGE_DENIED = "exchange_denied"
    EXCHANGE_WITHDRAWN = "exchange_withdrawn"
    EXCHANGE_TAKEN_BACK = "exchange_taken_back"
    REMINDER_SENT = "reminder_sent"
    LEAVING = "leaving"
    STAYED = "stayed"
    ERASED = "erased"
    ERASURE_CERTIFIED = "erasure_certified"
    TERMS_PUBLISHED = "terms_published"
    DEADLINE_MOVED = "deadline_moved"
    AGREEMENT_SIGNED = "agreement_signed"
    KEY_ROTATED = "key_rotated"
    PURGED = "purged"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    FLAGGED = "flagged"
    UNFLAGGED = "unflagged"
    APPEALED = "appealed"
    APPEAL_UPHELD = "appeal_upheld"
    READERS_NAMED = "readers_named"
    READ_HELD = "read_held"
    SWEEP_STOPPED = "sweep_stopped"
    SWEEP_ANSWERED = "sweep_answered"
    RETAG_ASKED = "retag_asked"
    RETAGGED = "retagged"
    TRAINING_SET_ASKED = "training_set_asked"
    TRAINING_SET_SEALED = "training_set_sealed"
    TRAINING_SET_RELEASED = "training_set_released"

    @property
    def sentence(self) -> str:
        return {
            "notice_shown": "Was shown the terms and the question",
            "gpc_seen": "The browser asked sites not to share data (Global Privacy Control)",
            "deferred": "Put the answer off",
            "terms_accepted": "Accepted the terms",
            "training_allowed": "Allowed training",
            "training_denied": "Did not allow training",
            "training_withdrawn": "Withdrew the permission to train",
            "training_ended": "Training was ended, for it is asked of adults only",
            "history_kept": "Asked to keep the history",
            "history_not_kept": "Asked not to keep the history for longer than needed",
            "exchange_allowed": "Allowed one exchange, a question and its answer, to train models",
            "exchange_denied": "Did not allow one exchange, a question and its answer, to train models",
            "exchange_withdrawn": "Withdrew the permission of one exchange to train models",
            "exchange_taken_back": "Took back a thumb, and with it the answer about that exchange",
            "reminder_sent": "Was reminded of the question by e-mail",
            "leaving": "Asked for the account to be deleted",
            "stayed": "Came back before the account was deleted",
            "erasure_certified": "The deletion of an account was certified",
            "erased": "The account was erased, and with it the link to this evidence",
            "terms_published": "Terms were published",
            "deadline_moved": "A deadline was moved to a later day",
            "agreement_signed": "A Work agreement was signed",
            "key_rotated": "The ledger's keys were replaced",
            "purged": "Conversations were purged",
            "hold_placed": "Staff placed a legal hold",
            "hold_released": "Staff released a legal hold",
            "flagged": "Staff put a conversation under safety review",
            "unflagged": "Staff ended a safety review",
            "appealed": "Appealed against a safety review",
            "appeal_upheld": "Staff answered an appeal, and the safety review goes on",
            "readers_named": "Staff named who may read what is held or under review",
            "read_held": "Named staff opened a conversation that is held or under review",
            "sweep_stopped": "The sweep stopped before it purged anything, and asked staff",
            "sweep_answered": "Staff answered a stopped sweep",
            "retag_asked": "All conversations were to be held against the policy and tagged anew",
            "retagged": "All conversations were held against the policy; what differed was tagged anew",
            "training_set_asked": "A training set was begun from what may train",
            "training_set_sealed": "A training set was held against what may train, and sealed",
            "training_set_released": "A sealed training set was released to be trained on",
        }[self.value]


class Source(StrEnum):
    """Through which door an act came."""

    DIALOG = "dialog"
    PAGE = "page"
    CHAT = "chat"
    SETTINGS = "settings"
    ADMIN = "admin"
    API = "api"
    SWEEP = "sweep"
    SCHEDULE = "schedule"
    OPERATOR = "operator"
