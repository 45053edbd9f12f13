"""A conversation on pages to keep: HTML to read and Markdown for other programs, message by message.

An answer is shown as it was rendered when it was final (chat/rendering); nothing is rendered here. What has no HTML
stands as it was written, as the product itself shows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _

from chat import parts
from chat.models import Conversation, Message
from chat.parts import messages_of
from chat.rendering.characters import made_harmless
from privacy.badge import badge, moment
from privacy.exporting.frame import framed, gathered
from privacy.holdings import Sheet
from privacy.policy import Standing

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_SLUG = 40
MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#"})


def sheets(user: "User", conversation: Conversation, standing: Standing) -> Iterator[Sheet]:
    """The same name for both, of its day, title and key. A file that is in it would follow here, beside them."""
    day = f"{timezone.localtime(conversation.begun_at):%Y-%m-%d}"
    slug = slugify(conversation.title, allow_unicode=True)[:LONGEST_SLUG].strip("-") or "chat"
    name = f"conversations/{day}-{slug}-{str(conversation.public_id)[:8]}"
    said = badge(conversation, standing)
    about = f"{said.text}. {said.sentence}"
    title = made_harmless(conversation.title) or _("New chat")
    written = Written.of(user, conversation)
    yield Sheet(f"{name}.html", framed(title, _page(written, about), up="../index.html"))
    yield Sheet(f"{name}.md", gathered(_markdown(written, title, about)))


@dataclass(frozen=True)
class Written:
    """What was written in a conversation: at hand for both pages where it is little, else read for each as it goes.

    `shown` is the branch that is shown, empty where there is but one.
    """

    user: "User"
    conversation: Conversation
    shown: set[int]
    little: list[Message] | None

    @classmethod
    def of(cls, user: "User", conversation: Conversation) -> "Written":
        first = list(islice(messages_of(user, [conversation.pk], html=True), parts.RENDERED))
        little = first if len(first) < parts.RENDERED else None
        parents = {row.pk: row.parent_id for row in first}
        if little is None or not set(parents.values()) <= {None, *parents}:  # more, or what somebody else asked
            parents = dict(conversation.messages.order_by().values_list("pk", "parent"))
        return cls(user, conversation, _way(parents, conversation.leaf_id), little)

    def messages(self, *, html: bool = False) -> Iterator[Message]:
        return iter(self.little) if self.little else messages_of(self.user, [self.conversation.pk], html=html)

    def notes(self, row: Message) -> str:
        """What is to be said of a message beside its text."""
        aside = _("Another version, which was not shown.") if self.is_aside(row) else ""
        return " ".join(filter(None, [aside, _ended(row)]))

    def is_aside(self, row: Message) -> bool:
        return bool(self.shown) and row.pk not in self.shown


def _way(parents: Mapping[int, int | None], at: int | None) -> set[int]:
    """From the end of a branch to the root."""
    path = set[int]()
    while at is not None and at in parents:
        path.add(at)
        at = parents[at]
    return path


# --- HTML ---------------------------------------------------------------------------


def _page(written: Written, about: str) -> Iterator[str]:
    yield format_html('<p class="quiet">{}<br>{}</p>\n', _when(written.conversation), about)
    for row in written.messages(html=True):
        yield _article(row, written.notes(row), aside=written.is_aside(row))


def _article(row: Message, notes: str, *, aside: bool) -> str:
    """In pieces rather than by a template: there may be very many."""
    html = row.html if row.role == Message.Role.ASSISTANT else ""
    text = html or f'<p class="as-written">{escape(made_harmless(row.text))}</p>'
    kind = f"{row.role} aside" if aside else row.role
    end = f'<p class="quiet">{escape(notes)}</p>' if notes else ""
    at = f'<time datetime="{row.created_at.isoformat()}">{escape(moment(row.created_at))}</time>'
    head = f"<h2>{escape(_who(row))} · {at}</h2>"
    key = str(row.public_id)
    return mark_safe(  # noqa: S308 — escaped above, or sanitised when it was rendered
        f'<article class="message {kind}" id="m-{key}">{head}<div class="text">{text}</div>{end}</article>\n'
    )


# --- Markdown -----------------------------------------------------------------------


def _markdown(written: Written, title: str, about: str) -> Iterator[str]:
    yield f"# {title.translate(MARKS)}\n\n{_when(written.conversation)}  \n{about}\n"
    for row in written.messages():
        notes = written.notes(row)
        end = f"\n\n*{notes}*" if notes else ""
        who = _who(row).translate(MARKS)
        yield f"\n---\n\n**{who}** · {moment(row.created_at)}\n\n{row.text}{end}\n"


# --- Both ---------------------------------------------------------------------------


def _when(conversation: Conversation) -> str:
    days = {"begun": moment(conversation.begun_at), "last": moment(conversation.last_activity_at)}
    return _("Begun %(begun)s, last message %(last)s.") % days


def _who(row: Message) -> str:
    return _("You") if row.role == Message.Role.USER else row.model or _("Answer")


def _ended(row: Message) -> str:
    """How an answer ended that did not come to its end."""
    if row.is_open:
        return _("The answer was still being written.")
    return _("Stopped here.") if row.state == Message.State.STOPPED else row.error_sentence
