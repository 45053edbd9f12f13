"""The provider without a model says what its script says, to the character and on time."""

import asyncio
import json
import time
from typing import Any

import pytest

from chat.providers.base import FailureCode, Request, Turn
from chat.providers.scripted import ScriptedProvider
from tests.model_services import (
    told,
)


def scripted(script: Any, beginning: str | None = None, url: str = "scripted:") -> tuple[str, Any]:
    question = script if isinstance(script, str) else "Hello\n/script " + json.dumps(script)
    turns = [Turn("user", "/script {}"), Turn("assistant", "old"), Turn("user", question)]
    if beginning is not None:
        turns.append(Turn("assistant", beginning))
    request = Request(turns, model="s", continue_last=beginning is not None)
    return asyncio.run(told(ScriptedProvider({"url": url}), request))


def test_a_script_says_its_pieces() -> None:
    assert scripted({"pieces": ["a", "b"], "repeat": 2}) == ("abab", None)
    assert scripted({"words": 3}) == ("word1 word2 word3 ", None)
    assert scripted("Hi", url="scripted:?words=2&delay=0.001") == ("word1 word2 ", None)
    assert scripted("Hi", url="scripted:?pieces=a|b") == ("ab", None)


def test_without_a_script_the_same_question_gets_the_same_answer() -> None:
    text, _ = scripted("What is a harbour?")
    assert text == scripted("What is a harbour?")[0] != scripted("What is a haven?")[0]
    assert "What is a harbour?" in text and "```python" in text and "👩‍👩‍👧‍👦" in text
    assert scripted({"chunk": "odd"})[0] == scripted({"chunk": "odd"})[0]


@pytest.mark.parametrize("script", ["Hello", {"words": 9}, {"chunk": "odd"}, {"chunk": "whole"}])
def test_a_continuation_goes_on_at_the_very_character(script: Any) -> None:
    whole, _ = scripted(script)
    for cut in range(0, len(whole) + 1, 3):
        assert scripted(script, whole[:cut]) == (whole[cut:], None)
    assert scripted(script, "something else")[1].code == FailureCode.REFUSED


def test_a_script_fails_where_it_says_and_not_when_it_is_continued() -> None:
    script = {"pieces": ["a", "b", "c"], "fail_after": 2, "failure": "rate_limited", "retry_after": 3}
    text, error = scripted(script)
    assert (text, error.code, error.retry_after) == ("ab", "rate_limited", 3)
    assert scripted(script, "ab") == ("c", None)
    assert scripted({**script, "fail_after": 3})[0] == "abc"
    assert scripted({**script, "fail_after": 3})[1].code == "rate_limited"


def test_a_script_keeps_time() -> None:
    started = time.perf_counter()
    scripted({"words": 50, "delay": 0.01, "first_delay": 0.1})
    assert 0.55 < time.perf_counter() - started < 3


def test_a_stalled_script_can_be_cancelled() -> None:
    async def scenario() -> None:
        request = Request([Turn("user", '/script {"words": 3, "stall_after": 1}')], model="s")
        stream = ScriptedProvider({}).stream(request)
        assert await anext(stream) == "word1 "
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.1)

    asyncio.run(scenario())


@pytest.mark.parametrize("script", ["/script {", '/script {"wrods": 3}', '/script {"failure": "x"}', "/script 5"])
def test_an_unreadable_script_is_refused(script: str) -> None:
    assert scripted(script)[1].code == FailureCode.REFUSED
    assert scripted({"words": 10**9})[1].code == FailureCode.REFUSED
