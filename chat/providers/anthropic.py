"""Anthropic's Messages API."""

from typing import Any

from chat.providers.base import Request
from chat.providers.errors import FailureCode
from chat.providers.http import Ending, HTTPProvider

VERSION = "2023-06-01"
MAX_TOKENS = 4_096  # the API asks for a bound
# Every other `stop_reason` is an end as it should be.
STOPS = {
    "max_tokens": FailureCode.CUT_SHORT,
    "model_context_window_exceeded": FailureCode.CUT_SHORT,
    "refusal": FailureCode.REFUSED,
}


class AnthropicProvider(HTTPProvider):
    """Posts to `{url}/v1/messages`. Models before 4.6 go on from a beginning (`continues`); later ones refuse it."""

    path = "/v1/messages"

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self._key, "anthropic-version": VERSION}

    def body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_tokens or MAX_TOKENS,
            "messages": [{"role": turn.role, "content": turn.text} for turn in request.turns if turn.role != "system"],
            "stream": True,
        }
        if system := "\n\n".join(turn.text for turn in request.turns if turn.role == "system"):
            body["system"] = system
        return body

    def read(self, event: dict[str, Any]) -> tuple[str | None, Ending]:
        match event["type"]:
            case "content_block_delta":
                delta = event["delta"]
                if delta["type"] == "text_delta":
                    text: str = delta["text"]
                    return text, False
                return "", False  # thinking is not shown, but the model is at work
            case "message_delta" if stop := event["delta"].get("stop_reason"):
                return None, STOPS.get(stop, True)
            case "message_stop":
                return None, True
        return None, False  # ping, message_start, content_block_start and whatever is added to the API
