"""The ZIP of a person's data, made as a worker makes it, and what is in it."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from accounts.models import User
from privacy.exporting import asking, files, making
from privacy.models import Export


def made(user: User) -> Export:
    """`user` asks for a file, and a worker makes it."""
    export = asking.ask(user)
    finish(export)
    return export


def finish(export: Export) -> None:
    """As many slices as it takes."""
    for _ in range(50):
        making.work(export.pk)
        export.refresh_from_db()
        if export.state != Export.State.MAKING:
            return
    raise AssertionError("it does not come to an end")


def path_of(export: Export) -> Path:
    return files.path_of(export.public_id)


def contents(export: Export) -> dict[str, str]:
    """The text of every member by its name; the archive is whole, and none is there twice."""
    with ZipFile(io.BytesIO(path_of(export).read_bytes())) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name).decode() for name in names}


def document(export: Export) -> Any:
    return json.loads(contents(export)["parley-export.json"])


def pages(export: Export, ending: str = ".html") -> list[str]:
    """The pages of conversations, in their order."""
    found = contents(export).items()
    return [text for name, text in found if name.startswith("conversations/") and name.endswith(ending)]
