"""The plans and what each grants: the one table that limits, pages and the admin read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class Plan(models.TextChoices):
    FREE = "free", "Free"
    PRO = "pro", "Pro"
    MAX = "max", "Max"
    WORK = "work", "Work"


PERSONAL_PLANS = (Plan.FREE, Plan.PRO, Plan.MAX)
EVERY_MODEL = ("*",)


@dataclass(frozen=True)
class Grant:
    """What a workspace may do. Messages are questions per person within `window`."""

    messages: int
    window: timedelta
    models: tuple[str, ...]
    context_tokens: int
    attachments: bool
    price: str

    def includes(self, model: str) -> bool:
        """May this workspace use the model of that name (`MODEL_NAME`)?"""
        return self.models == EVERY_MODEL or model in self.models


FIVE_HOURS = timedelta(hours=5)

GRANTS: dict[str, Grant] = {
    # plan            messages  window      models       context  attachments  price
    Plan.FREE: Grant(40, FIVE_HOURS, EVERY_MODEL, 4_096, False, "Free of charge"),
    Plan.PRO: Grant(200, FIVE_HOURS, EVERY_MODEL, 32_768, True, "20 € a month"),
    Plan.MAX: Grant(1_000, FIVE_HOURS, EVERY_MODEL, 131_072, True, "100 € a month"),
    Plan.WORK: Grant(400, FIVE_HOURS, EVERY_MODEL, 131_072, True, "30 € a person and month"),
}

# --- Overrides: what staff grants one workspace instead -----------------------


def _whole_number(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**31


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


OVERRIDABLE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "messages": (_whole_number, "a whole number above zero"),
    "models": (_names, 'a list of model names, or ["*"] for all'),
    "context_tokens": (_whole_number, "a whole number above zero"),
    "attachments": (lambda value: type(value) is bool, "true or false"),
}


def check_overrides(value: Any) -> None:
    """Refuse anything but an object of overridable names with fitting values. Raises ValidationError."""
    if not isinstance(value, dict) or value.keys() - OVERRIDABLE.keys():
        raise ValidationError(f"Give an object with any of: {', '.join(sorted(OVERRIDABLE))}.")
    for name, given in value.items():
        fits, shape = OVERRIDABLE[name]
        if not fits(given):
            raise ValidationError(f"“{name}” must be {shape}.")


def grant_of(plan: str, overrides: dict[str, Any]) -> Grant:
    """The grant of `plan`, with what staff changed for one workspace."""
    changed = {name: value for name, value in overrides.items() if name in OVERRIDABLE}
    if "models" in changed:
        changed["models"] = tuple(changed["models"])
    return replace(GRANTS[plan], **changed)
