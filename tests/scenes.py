"""What people have done before a test begins, through the product's own acts."""

from datetime import timedelta
from typing import Any

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation, Message
from chat.turns import acts
from chat.turns.begin import Turn
from privacy import policy, standings, versions
from privacy.choices import choose
from privacy.models import Terms
from privacy.vocabulary import Source, Training


def published(slug: str = "2", deadline: timedelta | None = timedelta(days=30), **more: Any) -> Terms:
    """New terms are published now, with a deadline that far ahead."""
    at = more.pop("published_at", clock.now())
    draft = {"slug": slug, "title": "New terms", "summary": "One thing changes.", "body": "Text"}
    until = clock.now() + deadline if deadline else None
    return versions.seal(Terms.objects.create(**{**draft, "deadline": until, **more}), at)


def decided(user: User, training: Training | None = Training.ALLOW, *, keep_history: bool = False) -> policy.Standing:
    """`user` has answered the terms in force."""
    terms = standings.owed_terms(user)
    assert terms is not None
    choose(user=user, terms=terms, training=training, keep_history=keep_history, source=Source.PAGE)
    return standings.standing_of(user)


def asked(user: User, text: str = "What is a promise?", *, within: Conversation | None = None) -> Turn:
    """`user` asks in the personal workspace, or goes on in a conversation whose answer has ended."""
    return acts.ask(
        user,
        workspace=within.workspace.public_id if within else user.personal_workspace.public_id,
        conversation=within.public_id if within else None,
        parent=None,
        text=text,
    )


def asked_in(user: User, workspace: Workspace, text: str = "What is a promise?") -> Turn:
    return acts.ask(user, workspace=workspace.public_id, conversation=None, parent=None, text=text)


def answered(
    user: User,
    text: str = "What is a promise?",
    answer: str = "One that is kept.",
    *,
    within: Conversation | None = None,
) -> Turn:
    """`user` asked, and the answer is there; written by hand, without a worker."""
    turn = asked(user, text, within=within)
    Message.objects.filter(pk=turn.answer.pk).update(state=Message.State.COMPLETE, text=answer)
    turn.answer.refresh_from_db()
    return turn
