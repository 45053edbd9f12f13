"""Where the story of 2025 cannot be told: everybody has answered the terms in force, just now."""

from collections.abc import Mapping
from datetime import timedelta

from accounts import clock
from config.demo.acts import answers
from config.demo.people import ALICE, BOB, EVERYBODY, MAX, WENDY, Persona
from config.demo.story import Life
from privacy.vocabulary import Source, Training

# Who is not named here has not answered: Will and Charlie meet the choice in their personal workspaces.
ANSWERS: Mapping[Persona, tuple[Training, bool]] = {
    ALICE: (Training.DENY, False),
    BOB: (Training.ALLOW, False),
    MAX: (Training.ALLOW, True),
    WENDY: (Training.DENY, True),
}
LONG_AGO = timedelta(days=60)  # before the first thing that anybody said


def lives() -> Mapping[Persona, Life]:
    """The seven. What they said before today was said before their answer, so it never trains."""
    now = clock.now()
    found = dict.fromkeys(EVERYBODY, Life(now - LONG_AGO, ()))
    for persona, (training, keep_history) in ANSWERS.items():
        answer = answers(now, training, keep_history=keep_history, source=Source.OPERATOR)
        found[persona] = Life(now - LONG_AGO, (answer,))
    return found
