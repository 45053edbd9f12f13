"""What a command means to a person's pages, asked of the database once for all their tabs.

Every socket of a process hears the same command object at about the same moment; the first to come to it asks, and the
others wait for the same answer.
"""

import asyncio
from weakref import WeakKeyDictionary

from accounts.models import User
from chat import desk
from chat.frames import Frame
from chat.journal.control import Command
from chat.threads import in_database

FOR_PAGES = {"gone", "rendered", "changed"}
REMEMBERED = 5.0  # seconds; the answer holds what people wrote, and a tab that comes later asks anew

# By the command's identity; the command is kept beside its answer, so that no other takes its place in memory.
Asked = dict[int, tuple[Command, "asyncio.Task[list[Frame]]"]]
_asked: "WeakKeyDictionary[asyncio.AbstractEventLoop, Asked]" = WeakKeyDictionary()


def concerns(command: Command, user: int) -> bool:
    """Whether it is about this person; most commands are about somebody else, or for workers."""
    return command.fields.get("user") == str(user)


async def news(user: User, command: Command) -> list[Frame]:
    """The frames that tell this person's pages of a command that concerns them."""
    if command.kind not in FOR_PAGES:
        return []
    loop = asyncio.get_running_loop()
    asked = _asked.setdefault(loop, {})
    if id(command) not in asked:
        asked[id(command)] = (command, loop.create_task(in_database(desk.news, user, command)))
        loop.call_later(REMEMBERED, asked.pop, id(command), None)
    # A tab that closes while it waits must not take the answer from the others.
    return await asyncio.shield(asked[id(command)][1])
