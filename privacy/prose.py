"""Terms and schedules in words."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markdown_it import MarkdownIt

from privacy.models import Terms
from privacy.policy import Duration
from privacy.vocabulary import RetentionClass

_markdown = MarkdownIt("commonmark", {"html": False})


def to_html(text: str) -> SafeString:
    """Staff's Markdown as sanitised HTML."""
    return mark_safe(nh3.clean(_markdown.render(text)))  # noqa: S308 — sanitised in this very line


def how_long(duration: Duration) -> str:
    """A stretch of time in words: "5 years", "1 day"."""
    parts = [
        (duration.years, ngettext("%(n)s year", "%(n)s years", duration.years)),
        (duration.days, ngettext("%(n)s day", "%(n)s days", duration.days)),
        (duration.hours, ngettext("%(n)s hour", "%(n)s hours", duration.hours)),
    ]
    return " ".join(said % {"n": count} for count, said in parts if count)


def may_train(kept: Duration) -> str:
    return _(
        "Chats begun from now on may be used to train models and are kept for %(time)s after their last message."
    ) % {"time": how_long(kept)}


def never_trains(kept: Duration) -> str:
    return _("Your chats are not used to train models and are kept for %(time)s after their last message.") % {
        "time": how_long(kept)
    }


def class_title(of: RetentionClass) -> str:
    return {
        RetentionClass.TRAINING: _("May train models"),
        RetentionClass.KEPT: _("Kept history"),
        RetentionClass.STANDARD: _("Standard"),
        RetentionClass.TEMPORARY: _("Temporary"),
        RetentionClass.AGREEMENT: _("Work"),
    }[of]


def retention_table(terms: Terms) -> list[dict[str, str]]:
    """The schedule that `terms` promise, one row per class, in words."""
    schedule = terms.schedule
    after_the_last = _("%(time)s after the last message")
    return [
        {
            "class": class_title(RetentionClass.TRAINING),
            "when": _("You allowed training, and the chat was begun afterwards"),
            "how_long": after_the_last % {"time": how_long(schedule.training)},
            "trains": _("Yes"),
        },
        {
            "class": class_title(RetentionClass.KEPT),
            "when": _("You asked to keep your history"),
            "how_long": _("Until you let it go or delete it"),
            "trains": _("Only if you allowed it"),
        },
        {
            "class": class_title(RetentionClass.STANDARD),
            "when": _("All other personal chats"),
            "how_long": after_the_last % {"time": how_long(schedule.standard)},
            "trains": _("Never"),
        },
        {
            "class": class_title(RetentionClass.TEMPORARY),
            "when": _("Started as a temporary chat"),
            "how_long": after_the_last % {"time": how_long(schedule.temporary)},
            "trains": _("Never"),
        },
        {
            "class": class_title(RetentionClass.AGREEMENT),
            "when": _("Chats in a Work workspace"),
            "how_long": _("As the workspace's agreement says"),
            "trains": _("Only if an owner of the workspace says so"),
        },
        {
            "class": _("Deleted"),
            "when": _("You deleted the chat"),
            "how_long": _("Hidden at once, purged after %(time)s") % {"time": how_long(schedule.deleted)},
            "trains": _("Never"),
        },
        {
            "class": _("Under review"),
            "when": _("Flagged for safety"),
            "how_long": _("As above, but purged %(time)s after it was flagged at the earliest")
            % {"time": how_long(schedule.flagged)},
            "trains": _("Never"),
        },
    ]
