"""What the people of the demonstration talked about: each class of retention, of several ages.

Conversations are laid straight into the tables, with the tag that the policy gives their facts at that moment. Whatever
their authors do afterwards re-tags them, as it would any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation, Message
from chat.models.message import Role
from chat.rendering.markdown import render
from config.demo.cast import GRACE, LARS, NORA, PETRA, RITA, UMA
from config.demo.people import ALICE, BOB, MAX, WENDY, WILL, Persona
from privacy import standings, tagging
from privacy.models import Standing


@dataclass(frozen=True)
class Talk:
    """One question and its answer, so many days ago."""

    days_ago: int
    title: str
    question: str
    answer: str
    at_work: bool = False
    temporary: bool = False
    kept: bool = False


BREAD = Talk(
    0,
    "Bread without kneading",
    "How do I bake bread without kneading?",
    """\
Time does the work of your hands:

1. Stir **400 g flour**, 300 g water, 8 g salt and a pinch of yeast.
2. Cover it and wait 12 to 18 hours.
3. Fold it once, let it rest for an hour, bake it in a hot pot at 240 °C for 40 minutes.
""",
)
LEAP_YEARS = Talk(
    29,
    "Leap years in Python",
    "Is there a short test for leap years in Python?",
    """\
The standard library has one:

```python
import calendar

calendar.isleap(2028)  # True
```

By hand: `year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)`.
""",
)
PYTHAGORAS = Talk(12, "Pythagoras", "Write down the theorem of Pythagoras.", "In a right triangle, $a^2 + b^2 = c^2$.")
MOON = Talk(3, "Distance of the moon", "How far away is the moon?", "About 384,400 km on average.")
GIFT = Talk(
    0, "A surprise for Bob", "What could I give Bob for his birthday?", "A day out to somewhere new.", temporary=True
)
POEM = Talk(
    5,
    "A line about autumn",
    "One line about autumn, please.",
    "The trees let go of what they kept all year.",
    kept=True,
)
INVOICE = Talk(
    40,
    "Reminder of an invoice",
    "Word a kind reminder of an unpaid invoice.",
    """\
> Dear Ms Gray, our invoice 1042 may have slipped by. Could you look into it this week? Thank you!
""",
    at_work=True,
)
AGENDA = Talk(
    1,
    "Agenda for Monday",
    "An agenda for a meeting of half an hour?",
    """\
| minutes | what |
|---|---|
| 5 | news |
| 20 | the one decision |
| 5 | who does what |
""",
    at_work=True,
)

# Whoever is stopped is not among them.
TALKS: Mapping[Persona, tuple[Talk, ...]] = {
    ALICE: (LEAP_YEARS, PYTHAGORAS, POEM, GIFT, BREAD),
    BOB: (PYTHAGORAS, MOON, BREAD),
    MAX: (LEAP_YEARS, MOON, BREAD),
    WENDY: (INVOICE, AGENDA, MOON),
    WILL: (AGENDA,),
    GRACE: (MOON, BREAD),
    LARS: (PYTHAGORAS,),
    NORA: (MOON, PYTHAGORAS),
    PETRA: (MOON,),
    RITA: (LEAP_YEARS,),
    UMA: (BREAD,),
}


def lay(person: User, talk: Talk) -> Conversation:
    """Lay a conversation that `person` has begun and ended at this moment."""
    kind = Workspace.Kind.WORK if talk.at_work else Workspace.Kind.PERSONAL
    workspace = Workspace.objects.open_to(person).filter(kind=kind)[0]
    row = Standing.objects.for_turn(person.pk)
    standing, schedule = standings.as_facts(person, row), standings.schedule_for(workspace, row)
    at = clock.now()
    conversation = Conversation(
        workspace=workspace,
        author=person,
        title=talk.title,
        title_source=Conversation.TitleSource.HAND,
        begun_at=at,
        last_activity_at=at,
        temporary=talk.temporary,
        kept=talk.kept,
    )
    tagging.begin(conversation, standing, schedule.agreement)
    tagging.tag(conversation, standing, schedule)
    conversation.save()
    question = Message.objects.create(
        conversation=conversation, author=person, role=Role.USER, text=talk.question, created_at=at
    )
    conversation.leaf = Message.objects.create(
        conversation=conversation,
        parent=question,
        role=Role.ASSISTANT,
        text=talk.answer,
        html=render(talk.answer),
        model="Demonstration",
        operator="written by hand",
        created_at=at,
        finished_at=at,
    )
    conversation.save(update_fields=["leaf"])
    return conversation
