"""What would follow from turning training off, said before anybody confirms it."""

from typing import TYPE_CHECKING

from accounts import clock
from privacy import policy
from privacy.badge import day
from privacy.holdings import tagged_holdings

if TYPE_CHECKING:
    from accounts.models import User


def consequences(user: "User") -> str:
    """How many chats would stop training, and until when they would stay; empty if none would."""
    now = clock.now()
    count = sum(model._default_manager.filter(author=user).trainable(now).count() for _, model in tagged_holdings())  # type: ignore[attr-defined]
    if not count:
        return ""
    chats = "1 chat" if count == 1 else f"{count} chats"
    return (
        f"If you choose “Don't allow”, {chats} would no longer be used for training. "
        f"None of them would be hidden before {day(now + policy.NOTICE)}, and you can keep your history."
    )
