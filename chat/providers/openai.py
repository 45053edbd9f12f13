"""Chat completions as llama.cpp, Ollama, vLLM and hosted services offer them under one shape."""

from typing import Any

from chat.providers.base import Request
from chat.providers.errors import FailureCode
from chat.providers.http import Ending, HTTPProvider

# Every other `finish_reason` is an end as it should be.
FINISHES = {"length": FailureCode.CUT_SHORT, "content_filter": FailureCode.REFUSED}


class OpenAIProvider(HTTPProvider):
    """Posts to `{url}/chat/completions`; `url` ends in the version, such as https://host/v1."""

    path = "/chat/completions"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": turn.role, "content": turn.text} for turn in request.turns],
            "stream": True,
        }
        if request.max_tokens:
            body["max_tokens"] = request.max_tokens
        if request.continue_last:
            # llama.cpp and Ollama go on from a last assistant message as it is; vLLM wants to be told.
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return body

    def read(self, event: dict[str, Any]) -> tuple[str | None, Ending]:
        choices = event.get("choices")
        if not choices:  # usage, or a filter's verdict on the prompt
            return None, False
        choice = choices[0]
        delta = choice.get("delta") or {}
        text = delta.get("content")
        if text is not None and not isinstance(text, str):
            raise TypeError
        if text is None and (delta.get("reasoning_content") or delta.get("reasoning")):
            text = ""  # thinking is not shown, but the model is at work
        finish = choice.get("finish_reason")
        # An empty delta opens the stream, long before the first token.
        return (text or None) if delta.get("role") else text, FINISHES.get(finish, bool(finish))
