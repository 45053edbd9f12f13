"""Why a conversation is kept for so long, and why it may train models or not: sentences that are true of this very one.

Pure, as the policy is: what it says follows from the flags and from what stands now, never from a tag, which a newer
answer may not have reached yet. A table (tests/test_explaining.py) goes through every combination.
"""

from privacy.policy import Agreement, Flags, Rule, Schedule, Standing, rule
from privacy.vocabulary import Reason, RetentionClass

ON_ITS_WAY = "What applies here has changed, and has not reached this chat yet: its end is being set anew."


def why_kept(flags: Flags, standing: Standing, agreement: Agreement, tagged: RetentionClass) -> str:
    """Why its end is where it is, given the class that its tag says."""
    if _rule(flags, standing, agreement).retention_class is not tagged:
        return ON_ITS_WAY
    if tagged is RetentionClass.KEPT and flags.kept:
        also = " You also keep your whole history." if standing.keep_history else ""
        return f"You kept this chat, so it stays until you let it go or delete it.{also}"
    if tagged is RetentionClass.AGREEMENT and agreement.lifetime is None:
        return "This chat belongs to a Work workspace, where chats are given no end."
    return tagged.sentence


def why_trains(flags: Flags, standing: Standing, agreement: Agreement) -> str:
    """Why it may train models, or not, by its flags and by what stands now."""
    reason = reason_of(flags, standing, agreement)
    if reason is Reason.TEMPORARY and flags.kept:
        return "This chat was begun as a temporary one: those never train models, also where they are kept."
    if reason is Reason.AGE and standing.adult_since is not None:
        return "You were under age when this chat was begun, and such chats never train models."
    if reason is Reason.BEGUN_BEFORE and not flags.personal and not flags.begun_as_adult:
        return Reason.AGE.sentence
    return reason.sentence


def reason_of(flags: Flags, standing: Standing, agreement: Agreement) -> Reason:
    """The reason that holds now."""
    return _rule(flags, standing, agreement).reason


def _rule(flags: Flags, standing: Standing, agreement: Agreement) -> Rule:
    return rule(flags, standing, Schedule(agreement=agreement))
