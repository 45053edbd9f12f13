"""What a deployment is warned of that Django does not know."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from config.checks import application_role
from tests import database


def found() -> list[Any]:
    return [message.id for message in run_checks(include_deployment_checks=True) if message.id == "parley.W001"]


def test_a_role_of_its_own_is_well(db: None) -> None:
    assert found() == []


@pytest.fixture
def as_owner(committed: None) -> Iterator[None]:
    mine = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(database.owners_account())
    yield
    connection.close()
    connection.settings_dict.update(mine)


def test_the_owner_of_the_tables_is_warned_of(as_owner: None) -> None:
    assert found() == ["parley.W001"]
    assert "owns tables" in application_role(None)[0].msg


def test_a_database_that_does_not_answer_is_no_warning(committed: None) -> None:
    port = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        assert found() == []
    finally:
        connection.close()
        connection.settings_dict["HOST"] = port
