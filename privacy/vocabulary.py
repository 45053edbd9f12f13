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
            "temporary": "Temporary chats never train models.",
            "agreement": "Work chats never train models unless an owner of the workspace says so.",
            "deleted": "You deleted this chat. Deleted chats never train models.",
            "held": "This chat is held for a legal reason and never trains models while it is.",
            "flagged": "This chat is under safety review and never trains models.",
            "age": "Chats of people who are under age, or whose age is unknown, never train models.",
            "undecided": "You have not answered the training question. Silence is never consent.",
            "denied": "You did not allow training.",
            "begun_before": "This chat was begun before your current permission, so it never trains models.",
        }[self.value]


class Act(StrEnum):
    """What the ledger records."""

    TERMS_ACCEPTED = "terms_accepted"
    TRAINING_ALLOWED = "training_allowed"
    TRAINING_DENIED = "training_denied"
    TRAINING_ENDED = "training_ended"
    HISTORY_KEPT = "history_kept"
    HISTORY_NOT_KEPT = "history_not_kept"
    PURGED = "purged"

    @property
    def sentence(self) -> str:
        return {
            "terms_accepted": "Accepted the terms",
            "training_allowed": "Allowed training",
            "training_denied": "Did not allow training",
            "training_ended": "Training was ended, for it is asked of adults only",
            "history_kept": "Asked to keep the history",
            "history_not_kept": "Asked not to keep the history for longer than needed",
            "purged": "Conversations were purged",
        }[self.value]


class Source(StrEnum):
    """Through which door an answer came."""

    CHOICE_PAGE = "choice_page"
    SETTINGS = "settings"
    SWEEP = "sweep"
    OPERATOR = "operator"
