"""The writer of ZIPs: what other programs read, however large, and cut back to any of its members."""

import io
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

from privacy.exporting.archive import Archive, Mark

AT = datetime(2026, 11, 27, 13, 45, 20, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path):
    both = tmp_path / "members", tmp_path / "directory"
    for path in both:
        path.touch()
    return both


def opened(paths: tuple[Path, Path], mark: Mark | None = None) -> Archive:
    return Archive(*paths, mark or Mark(), AT)


def read(paths: tuple[Path, Path]) -> ZipFile:
    return ZipFile(paths[0])


def test_what_is_written_is_read(paths):
    archive = opened(paths)
    archive.add("a.txt", [b"one ", b"", b"two"])
    archive.add("empty", [])
    archive.add("ordner/größe.txt", [b"x" * 3_000_000], about="a key")
    size = archive.finish()
    archive.close()
    assert size == paths[0].stat().st_size
    with read(paths) as found:
        assert found.testzip() is None
        assert found.read("a.txt") == b"one two" and found.read("empty") == b""
        assert found.read("ordner/größe.txt") == b"x" * 3_000_000
        info = found.getinfo("ordner/größe.txt")
        assert (info.comment, info.date_time) == (b"a key", (2026, 11, 27, 13, 45, 20))
        assert info.external_attr >> 16 == 0o100600


def test_without_members_it_is_a_zip(paths):
    archive = opened(paths)
    archive.finish()
    with read(paths) as found:
        assert found.namelist() == []


def test_beyond_four_gigabytes(paths):
    """What is before is a hole in the file."""
    archive = opened(paths, Mark(offset=5 * 2**30))
    archive.add("first", [b"far out"], about="1")
    second = archive.mark
    archive.add("second", [b"farther"], about="2")
    assert [entry.before.offset for entry in archive.entries()] == [5 * 2**30, second.offset]
    archive.finish()
    with read(paths) as found:
        assert found.testzip() is None and found.read("second") == b"farther"


def test_cut_back_to_any_member_it_is_as_if_the_rest_had_never_been(paths):
    archive = opened(paths)
    for number in range(5):
        archive.add(f"{number}", [f"secret {number}".encode()], about=f"key {number}")
    before = list(archive.entries())
    assert [(entry.name, entry.about) for entry in before] == [(f"{n}", f"key {n}") for n in range(5)]
    archive.cut(before[2].before)
    assert [entry.name for entry in archive.entries()] == ["0", "1"]
    archive.add("again", [b"other"])
    archive.finish()
    assert b"key 3" not in paths[0].read_bytes() and b"key 4" not in paths[1].read_bytes()
    with read(paths) as found:
        assert found.namelist() == ["0", "1", "again"] and found.testzip() is None


def test_what_was_broken_off_is_cut_off_when_it_is_opened_again(paths):
    archive = opened(paths)
    archive.add("whole", [b"whole"])
    mark = archive.mark

    def broken():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        archive.add("half", broken())
    archive.close()
    again = opened(paths, mark)
    again.add("next", [b"next"])
    again.finish()
    with read(paths) as found:
        assert found.namelist() == ["whole", "next"] and found.testzip() is None


def test_finished_and_cut_it_goes_on(paths):
    """As after a death between the end of the file and the row that says so."""
    archive = opened(paths)
    archive.add("one", [b"1"])
    mark = archive.mark
    archive.finish()
    archive.cut(mark)
    archive.add("two", [b"2"])
    archive.finish()
    with ZipFile(io.BytesIO(paths[0].read_bytes())) as found:
        assert found.namelist() == ["one", "two"] and found.testzip() is None
