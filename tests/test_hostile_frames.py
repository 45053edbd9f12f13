"""Hostile frames: every field of every frame with values that it cannot have. Each is told so, none begins a turn,
closes the socket or silences what comes after it.
"""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync

from chat import bounds, frames
from chat.errors import BadFrame
from chat.models import Message
from privacy.vocabulary import Training
from tests.doors import FRAMES
from tests.people import alice, bob
from tests.scenes import answered, decided, published
from tests.sockets import opened, talk

NOBODY = str(UUID(int=0))
WHOLE: dict[str, dict[str, Any]] = {
    "ask": {
        "workspace": NOBODY,
        "conversation": NOBODY,
        "parent": NOBODY,
        "text": "x",
        "request": NOBODY,
        "temporary": True,
    },
    "edit": {"message": NOBODY, "text": "x", "request": NOBODY},
    **{kind: {"message": NOBODY, "request": NOBODY} for kind in ("regenerate", "retry", "continue")},
    "stop": {"message": NOBODY},
    "follow": {"message": NOBODY, "after": "1-1"},
    "unfollow": {"message": NOBODY},
}
NO_TEXT = [1, -1, 1.5, True, False, [], {}, ["x"], {"text": "x"}, [[[[]]]], 10**18]
NO_ID = [
    *NO_TEXT,
    "",
    "x",
    "\0",
    "0" * 31,
    "0" * 33,
    "\u202e" + NOBODY,
    NOBODY[:-1] + "\u200b",
    "🙂" * 32,
    "x" * 50_000,
]
NO_STEP = [
    *NO_TEXT,
    "",
    "1",
    "1-",
    "-1-1",
    "1-1-1",
    "1e3-1",
    "9" * 20 + "-1",
    "1-" + "9" * 20,
    "１-１",
    "1-1\0",
    "$",
    ">",
    "+",
]
NO_WORD = [0, 1, 1.0, "", "on", "true", "false", [], {}, [True]]
OPTIONAL = {"conversation", "parent", "request", "after", "temporary"}


def mangled() -> list[tuple[str, str, Any]]:
    """Every frame with one of its fields missing, null or wrong."""
    found = []
    for kind, fields in WHOLE.items():
        for name in fields:
            wrong = {"text": NO_TEXT, "after": NO_STEP, "temporary": NO_WORD}.get(name, NO_ID)
            found += [(kind, name, value) for value in wrong]
            if name not in OPTIONAL:
                found += [(kind, name, None)]
    return found


def test_every_frame_is_tried():
    assert set(WHOLE) == set(FRAMES)


def test_a_field_that_cannot_be_makes_no_frame():
    assert all(frames.parse(json.dumps({"type": kind, **fields})) for kind, fields in WHOLE.items())
    taken = []
    for kind, name, value in mangled():
        frame = {"type": kind, **WHOLE[kind], name: value}
        if value is None:
            del frame[name]
        with suppress(BadFrame):
            taken.append((frames.parse(json.dumps(frame)), name, value))
    assert taken == []


@pytest.mark.parametrize(
    "said",
    [
        *(
            '{"type": "ask", "text": ' + text + "}"
            for text in ('"\\ud800"', '"\\udfff\\ud800"', "1e999", "NaN", "'x'", "-")
        ),
        *(
            "",
            " ",
            "\0",
            "\ufeff{}",
            "{}{}",
            '{"type": null}',
            '{"type": "ask\\u0000"}',
            '{"type": ["ask"]}',
            "1" * 400,
        ),
        *(
            '{"a":' * 5_000,
            "[" * 200_000,
            '{"type": "stop", "message": ' + "9" * 5_000 + "}",
            "\ud800",
            '"' + "x" * 600_000,
        ),
        *(
            b"",
            b"\xff",
            b"\x00\x01",
            b'{"type": "ask", "text": "\xed\xa0\x80"}',
            b"\xff\xfe{\x00}\x00",
            "{}".encode("utf-16"),
        ),
    ],
)
def test_what_is_no_frame_is_told_so_whatever_it_is(said):
    with pytest.raises(BadFrame):
        frames.parse(said)
    assert frames.request_of(said) is None


@pytest.mark.parametrize("request_", [1, [], {}, None, True, "x" * 37, "x" * 100_000])
def test_a_number_of_a_request_that_is_none_is_not_given_back(request_):
    assert frames.request_of(json.dumps({"type": "ask", "request": request_})) is None
    assert frames.request_of(json.dumps({"request": NOBODY, "text": 1})) == NOBODY


# --- Over a socket ------------------------------------------------------------------------


@pytest.fixture
def _sees_rows(db, socket_sees_rows) -> None:
    decided(alice(), Training.DENY)


@pytest.mark.usefixtures("_sees_rows")
class TestSocket:
    def test_each_is_answered_and_the_socket_goes_on(self):
        """One wrong value for every field of every frame, on one connection; what is right is then served."""
        once = {(kind, name): value for kind, name, value in mangled()[::5]}
        wrong = [{"type": kind, **WHOLE[kind], name: value} for (kind, name), value in once.items()]
        assert len(wrong) >= 18 and len(wrong) < bounds.BURST - 2
        nobodys = [{"type": kind, **fields} for kind, fields in WHOLE.items() if kind != "unfollow"]
        last = {"type": "follow", "message": str(answered(alice()).answer.public_id)}
        _, heard = talk(alice(), *wrong, *nobodys, last, expect=len(wrong) + len(nobodys) + 1)
        assert [frame["code"] for frame in heard[: len(wrong)]] == ["bad_frame"] * len(wrong)
        assert [frame["code"] for frame in heard[len(wrong) : -1]] == ["not_found"] * len(nobodys)
        assert heard[-1]["type"] == "done" and Message.objects.count() == 2

    def test_a_refusal_names_the_request_that_it_is_of(self):
        requests = [str(uuid4()) for _ in range(3)]
        texts = ["", "a\0b", 7]
        room = str(alice().personal_workspace.public_id)
        sent = [
            {"type": "ask", "workspace": room, "text": text, "request": request}
            for text, request in zip(texts, requests, strict=True)
        ]
        _, heard = talk(alice(), *sent, expect=3)
        assert [frame["request"] for frame in heard] == requests
        assert [frame["code"] for frame in heard] == ["bad_text", "bad_text", "bad_frame"]
        assert all(frame["message"] for frame in heard) and not Message.objects.exists()

    @pytest.mark.parametrize(
        "text", ["\u202edrawkcab\u202c", "\u200b\u2060\ufeff", "🙂" * 20_000, "<script>", "{{ x }}", "\x01\x7f"]
    )
    def test_strange_text_is_text(self, text):
        room = str(alice().personal_workspace.public_id)
        _, (turn,) = talk(alice(), {"type": "ask", "workspace": room, "text": text}, expect=1)
        assert turn["question"]["text"] == text == Message.objects.get(role="user").text

    @pytest.mark.parametrize("data", [b'{"type": "stop"}', b"\xff\xfe", b"\x00" * 1000])
    def test_bytes_are_answered_like_text(self, data):
        _, (error,) = talk(alice(), data, expect=1)
        assert error["code"] == "bad_frame"

    def test_a_workspace_that_is_not_ones_own_opens_no_way_round_the_gate(self):
        """Alice owes an answer; a frame that names another's workspace, Bob's, who owes none, is none of his."""
        decided(bob(), Training.DENY)
        published(deadline=None, audience=["free"])
        rooms = [str(person().personal_workspace.public_id) for person in (bob, alice)]
        sent = [{"type": "ask", "workspace": room, "text": "Let me in"} for room in rooms]
        _, heard = talk(alice(), *sent, expect=2)
        assert [frame["code"] for frame in heard] == ["not_found", "consent_required"]
        assert not Message.objects.exists()

    def test_a_frame_beyond_the_bound_is_refused_and_the_next_is_served(self):
        follow = json.dumps({"type": "follow", "message": str(answered(alice()).answer.public_id)})

        async def scene() -> list[str]:
            async with opened(alice_) as socket:
                await socket.send_to(text_data=follow[:-1] + " " * frames.MAX_BYTES + "}")
                await socket.send_to(text_data=follow)
                return [(await socket.receive_json_from(timeout=5))["type"] for _ in range(2)]

        alice_ = alice()
        assert async_to_sync(scene)() == ["error", "done"]
