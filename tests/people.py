"""The people of the tests, as real rows: Alice owns, Bob shares, Charlie is a stranger, Stella is staff.

Each function gives the same person however often it is called in one test.
"""

from typing import Any

from accounts.models import User, Workspace
from config.demo import people

PASSWORD = "staple horse battery correct"


def alice(**details: Any) -> User:
    """On the Free plan."""
    return people.settle(people.ALICE, PASSWORD, **details)


def bob(**details: Any) -> User:
    """On the Pro plan."""
    return people.settle(people.BOB, PASSWORD, **details)


def max_(**details: Any) -> User:
    """On the Max plan."""
    return people.settle(people.MAX, PASSWORD, **details)


def wendy(**details: Any) -> User:
    """Owner of the Work workspace."""
    return people.settle(people.WENDY, PASSWORD, **details)


def will(**details: Any) -> User:
    """Member of Wendy's Work workspace."""
    return people.settle(people.WILL, PASSWORD, **details)


def charlie(**details: Any) -> User:
    """A stranger: on the Free plan, shares nothing with anybody."""
    return people.settle(people.CHARLIE, PASSWORD, **details)


def stella(**details: Any) -> User:
    """Staff."""
    return people.settle(people.STELLA, PASSWORD, **details)


def works() -> Workspace:
    """Wendy's Works, the Work workspace."""
    return people.works(PASSWORD)
