"""What the clock alone brings about reaches open sockets, whoever was here before."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from privacy.vocabulary import Training
from tests.people import alice
from tests.scenes import decided, published
from tests.sockets import opened, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("socket_sees_rows")]


def test_somebody_alone_who_reloads_is_told_of_the_deadline_all_the_same(move_clock):
    decided(alice(), Training.DENY)
    published(deadline=timedelta(days=1))
    user, client = alice(), signed_in(alice())

    async def scene() -> tuple[str, dict]:
        for _ in range(2):  # the page, and the same page reloaded
            async with opened(user, client) as socket:
                greeting = socket.hello["gate"]["state"]
        async with opened(user, client) as socket:
            move_clock(days=1, seconds=1)
            return greeting, await socket.receive_json_from(timeout=15)

    greeting, told = async_to_sync(scene)()
    assert greeting == "ask"
    assert (told["type"], told["gate"]["state"]) == ("gate", "stop")
