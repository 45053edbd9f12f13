"""Ages by the calendar: the minimum age for an account, and adulthood for everything that needs an adult."""

from datetime import MAXYEAR, date

from django.conf import settings

ADULT_AT = 18


def birthday(born: date, years: int) -> date:
    """The day somebody born on `born` turns `years`; a leap-day child does so on 1 March of a common year."""
    year = born.year + years
    if year > MAXYEAR:
        return date.max
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def adulthood(born: date) -> date:
    return birthday(born, ADULT_AT)


def below_minimum(born: date, today: date) -> bool:
    return today < birthday(born, settings.MINIMUM_AGE)
