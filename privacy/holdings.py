"""Who holds what belongs to people. Owners of data register here; privacy never imports them.

A holding names its models, and the rows among them that carry a tag. Everything that must reach all data (re-tag,
sweep, erasure, export) walks this registry, so that an app added tomorrow is covered by adding a holding. A test fails
for a model that belongs to a person and is in no holding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from privacy.models import Tagged


def _nothing(_: Any) -> None: ...


@dataclass(frozen=True)
class Described:
    """A tagged row as its author knows it: what it is called, and the page that says what applies to it and why."""

    title: str
    url: str


@dataclass(frozen=True)
class Holding:
    """Data of people in one app.

    `describe` names a tagged row for its author, without a query; every holding with tagged rows has one.
    `purge_children` deletes what hangs on tagged rows (given by primary key), inside the sweep's transaction, and sees
    to copies outside the database after its commit.
    `expire` deletes what the holder keeps beside tagged rows once it has served (given the present moment).
    `standing_changed` tells the holder that a person's standing changed (given the person's primary key), after commit.
    """

    name: str
    models: Sequence[type[models.Model]]
    tagged: type[Tagged] | None = None
    describe: Callable[[Any], Described] | None = None
    purge_children: Callable[[Sequence[int]], None] = field(default=_nothing)
    expire: Callable[[datetime], None] = field(default=_nothing)
    standing_changed: Callable[[int], None] = field(default=_nothing)


_registry: dict[str, Holding] = {}


def register(holding: Holding) -> None:
    """Add a holding; a second one of the same name replaces the first."""
    _registry[holding.name] = holding


def all_holdings() -> list[Holding]:
    return list(_registry.values())


def tagged_holdings() -> list[tuple[Holding, type[Tagged]]]:
    """The holdings that have tagged rows, with their model."""
    return [(holding, holding.tagged) for holding in _registry.values() if holding.tagged]
