"""Refusals of the privacy side; each protocol's edge translates them."""

from datetime import datetime


class ConsentRequired(Exception):
    """No turn begins before the person has answered the terms in force."""

    code = "consent_required"
    message = "Please answer the current terms first. Your text is kept; you can send it afterwards."

    def __init__(self, terms: str = "", deadline: datetime | None = None) -> None:
        super().__init__(self.message)
        self.terms = terms
        self.deadline = deadline


class StaleAnswer(Exception):
    """An answer to something other than what the person owes now: nothing is recorded, the fresh text is shown.

    `elsewhere` says that the person has answered in another place since this question was put.
    """

    def __init__(self, *, elsewhere: bool = False) -> None:
        super().__init__()
        self.elsewhere = elsewhere


class BadAnswer(Exception):
    """An answer that is none: the training question was left open, or asked of somebody who is not asked."""


class SoleOwner(Exception):
    """Work workspaces would be left without an owner; `workspaces` are their names."""

    def __init__(self, workspaces: list[str]) -> None:
        super().__init__()
        self.workspaces = workspaces


class StillStaff(Exception):
    """Staff hands its rights over before it leaves."""


class TooLateToDefer(Exception):
    """There is no time left to put the answer off, or nothing to put off."""


class TooLate(Exception):
    """The days in which one may come back are over."""
