"""Run in a house of `up`, in a process of its own: many conversations that are due, and sweeps for them."""

import sys
from datetime import timedelta
from itertools import islice

import django

django.setup()

from accounts import clock  # noqa: E402
from chat.journal import connection as valkey  # noqa: E402
from chat.journal import keys  # noqa: E402
from chat.models import Conversation, Message  # noqa: E402
from privacy.tasks import sweep  # noqa: E402
from privacy.vocabulary import Training  # noqa: E402
from tests.people import alice  # noqa: E402
from tests.scenes import answered, decided  # noqa: E402

STAY, JOURNALS, AT_ONCE, QUEUED = 50, 500, 2_000, 100
NOT_COPIED = {"id", "public_id", "leaf"}


def load(number: int) -> None:
    """So many that are due (every second one deleted, the others at their end), and some that stay; all with a question
    and its answer, some with a journal.
    """
    decided(alice(), Training.DENY)
    like = answered(alice()).conversation
    values = {f.attname: getattr(like, f.attname) for f in Conversation._meta.fields if f.name not in NOT_COPIED}
    moment = clock.now() - timedelta(days=31)
    ended = {"last_activity_at": moment, "hidden_from": moment + timedelta(days=30)}
    ended["purge_after"] = ended["hidden_from"]
    deleted = {"deleted_at": moment, "tag_reason": "deleted", "hidden_from": moment}
    deleted["purge_after"] = moment + timedelta(hours=24)
    rows = (Conversation(**{**values, **(deleted if n % 2 else ended)}) for n in range(number))
    while some := list(islice(rows, AT_ONCE)):
        _with_messages(some)
    _with_messages([Conversation(**values) for _ in range(STAY - 1)])


def _with_messages(some: list[Conversation]) -> None:
    made = Conversation.objects.bulk_create(some)
    questions = [Message(conversation=one, role="user", author=alice(), text="And then?") for one in made]
    questions = Message.objects.bulk_create(questions)
    pairs = zip(made, questions, strict=True)
    answers = [Message(conversation=one, parent=q, role="assistant", state="complete", text="So.") for one, q in pairs]
    answers = Message.objects.bulk_create(answers)
    for one, answer in zip(made, answers, strict=True):
        one.leaf = answer
    Conversation.objects.bulk_update(made, ["leaf"])
    for answer in answers[:JOURNALS]:
        valkey.plain().xadd(keys.key(answer.public_id), {"text": "So."})


def journals() -> int:
    return len(list(valkey.plain().scan_iter("parley:journal:*", count=1_000)))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["load", number]:
            load(int(number))
        case ["sweep"]:
            for _ in range(QUEUED):
                sweep.delay()
        case ["journals"]:
            print(journals())
