"""Forty people without a face, so that staff's figures have something to draw. They talk about nothing.

Lists of different lengths are gone round, so that plans, regions and answers mix without chance: every demonstration
shows the same numbers.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import cycle

from accounts.plans import Plan
from config.demo.acts import answers, puts_off, sees
from config.demo.people import Persona
from config.demo.story import ALLOW, DENY, Life, decides, on, published_at
from privacy.vocabulary import Source

MANY = 40
PLANS = (Plan.FREE, Plan.FREE, Plan.PRO, Plan.FREE, Plan.MAX, Plan.PRO, Plan.FREE, Plan.PRO, Plan.FREE, Plan.MAX)
PLACES = (
    *(("DE", "Europe/Berlin"), ("US", "America/New_York"), ("FR", "Europe/Paris"), ("DE", "Europe/Berlin")),
    *(("US", "America/New_York"), ("GB", "Europe/London"), ("", "UTC")),
)
# Days after the publication: when the question was put off, when it was answered (None: never), and how.
ANSWERS = (
    *(((), 0, ALLOW), ((), 0, DENY), ((), 1, DENY), ((), 2, ALLOW), ((3,), 6, DENY), ((), None, DENY)),
    *(((1, 5), 9, ALLOW), ((), 14, DENY), ((2, 4, 12), 18, DENY), ((6, 20), None, ALLOW), ((), 24, ALLOW)),
    *(((2, 10), 30, DENY), ((), 36, DENY)),
)
MINUTES = (1, 3, 1, 8, 2, 25, 1, 5, 90)
BEFORE = (DENY, ALLOW, DENY)


def lives() -> Mapping[Persona, Life]:
    """Each of them with their life."""
    lists = zip(range(1, MANY + 1), *map(cycle, (PLANS, PLACES, ANSWERS, MINUTES, BEFORE)), strict=False)
    found = {}
    for number, plan, (region, zone), (deferrals, answered, training), minutes, before in lists:
        person = Persona(f"Person {number}", f"on the {plan.label} plan", date(1985, 1, 1), plan, zone, region)
        came = on(1, 12, 10) + timedelta(days=3 * number)
        # Each at an hour of their own, after the publication on its day too.
        hour = published_at() + timedelta(minutes=7 * number)
        # What they had answered before was taken over, which spares half of the time that this takes.
        steps = [answers(came, before, source=Source.OPERATOR)]
        steps += [puts_off(hour + timedelta(days=day)) for day in deferrals]
        if not deferrals and answered != 0:
            steps.append(sees(hour))
        if answered is not None:
            steps += decides(hour + timedelta(days=answered), training, minutes=minutes)
        found[person] = Life(came, tuple(steps))
    return found
