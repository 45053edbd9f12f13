"""What people have done before a test begins, through the product's own acts."""

from accounts.models import User, Workspace
from chat.models import Conversation, Message
from chat.turns import acts
from chat.turns.begin import Turn
from privacy import policy, standings
from privacy.choices import choose
from privacy.vocabulary import Source, Training


def decided(user: User, training: Training | None = Training.ALLOW, *, keep_history: bool = False) -> policy.Standing:
    """`user` has answered the terms in force."""
    terms = standings.owed_terms()
    assert terms is not None
    return choose(user=user, terms=terms, training=training, keep_history=keep_history, source=Source.CHOICE_PAGE)


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


def answered(user: User, text: str = "What is a promise?", answer: str = "One that is kept.") -> Turn:
    """`user` asked, and the answer is there; written by hand, without a worker."""
    turn = asked(user, text)
    Message.objects.filter(pk=turn.answer.pk).update(state=Message.State.COMPLETE, text=answer)
    turn.answer.refresh_from_db()
    return turn
