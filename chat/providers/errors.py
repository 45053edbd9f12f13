"""How an answer falls short of its end, in seven codes, and how the words of a service are read into them.

An error body may echo the prompt. Of all that a service says only a status and short machine words
(`code`, `type`) are kept, so that neither the log nor an exception holds what people wrote.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from django.db import models

from accounts import clock


class FailureCode(models.TextChoices):
    """Why no (whole) answer came; the label is the sentence for the person who asked."""

    UNREACHABLE = "unreachable", "The model cannot be reached at the moment. Your question is kept: please retry."
    REFUSED = (
        "refused",
        (
            "The model's service refused this request. Other words may help; if it refuses everything, "
            "staff should check the key and the model's name."
        ),
    )
    TOO_LONG = (
        "too_long",
        "This conversation is longer than the model can read. A new chat or a shorter question helps.",
    )
    TIMED_OUT = "timed_out", "The model took too long to answer. Your question is kept: please retry."
    RATE_LIMITED = "rate_limited", "The model has too much to do at the moment. Please retry in a little while."
    BROKEN = "broken", "The model's answer broke off. What arrived is kept: please retry."
    CUT_SHORT = "cut_short", "The answer reached the greatest length. “Continue” goes on from here."


class ProviderError(Exception):
    """A service did not answer, or not to the end. `str()` is for the log and holds no text of people.

    With CUT_SHORT nothing failed: all that was allowed has been said.
    """

    def __init__(self, code: FailureCode, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.retry_after = retry_after


A_DAY = 86_400.0
_MACHINE_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_TOO_LONG_WORDS = {
    "exceed_context_size_error",
    "context_length_exceeded",
    "request_too_large",
    "string_above_max_length",
}
_TOO_LONG = re.compile(
    r"prompt is too long|maximum context length|available context size|context (length|window)|"
    r"input is too long|too many (input )?tokens|exceeds? .{0,40}\btokens?\b",
    re.IGNORECASE,
)
_BY_WORD = {
    "authentication_error": FailureCode.REFUSED,
    "invalid_api_key": FailureCode.REFUSED,
    "permission_error": FailureCode.REFUSED,
    "billing_error": FailureCode.REFUSED,
    "insufficient_quota": FailureCode.REFUSED,  # sent as 429, but waiting does not help
    "not_found_error": FailureCode.REFUSED,
    "model_not_found": FailureCode.REFUSED,
    "content_filter": FailureCode.REFUSED,
    "invalid_request_error": FailureCode.REFUSED,
    "rate_limit_error": FailureCode.RATE_LIMITED,
    "rate_limit_exceeded": FailureCode.RATE_LIMITED,
    "overloaded_error": FailureCode.RATE_LIMITED,
    "timeout_error": FailureCode.TIMED_OUT,
    "unavailable_error": FailureCode.UNREACHABLE,  # llama.cpp while it loads the weights
}
_BY_STATUS = {
    408: FailureCode.TIMED_OUT,
    413: FailureCode.TOO_LONG,
    429: FailureCode.RATE_LIMITED,
    502: FailureCode.UNREACHABLE,
    503: FailureCode.UNREACHABLE,
    504: FailureCode.TIMED_OUT,
    529: FailureCode.RATE_LIMITED,
}


def loads(data: bytes) -> Any:
    """The JSON value, or None. (A decoding error would carry the document, which is people's text.)"""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def failure(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """What an HTTP error, or an error object in a body or stream (with status 200), comes down to."""
    error = _error_object(body)
    words = [str(error[key]) for key in ("code", "type", "status") if error.get(key)]
    message = error.get("message")
    if status < 400:  # inside a stream, llama.cpp and vLLM name the status in the error object
        status = next((int(word) for word in words if re.fullmatch(r"[45]\d\d", word)), status)
    retry_after = retry_after_seconds(headers)
    code = _code(status, words, message if isinstance(message, str) else "")
    if code == FailureCode.UNREACHABLE and retry_after is not None:
        code = FailureCode.RATE_LIMITED  # whoever says when to come back is there
    detail = " ".join([str(status), *(word for word in words if _MACHINE_WORD.fullmatch(word))])
    return ProviderError(code, detail, retry_after=retry_after)


def _error_object(body: Any) -> dict[str, Any]:
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, dict) else {"message": error}


def _code(status: int, words: list[str], message: str) -> FailureCode:
    if _TOO_LONG_WORDS & set(words) or (status in (200, 400, 413, 422) and _TOO_LONG.search(message)):
        return FailureCode.TOO_LONG
    # The most telling word: OpenAI's `type` is invalid_request_error for nearly everything.
    for word in words:
        if word in _BY_WORD:
            return _BY_WORD[word]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return FailureCode.REFUSED if 300 <= status < 500 else FailureCode.BROKEN


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds from now, whether given as seconds or as a date; None if absent or unreadable."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value):
        return min(float(value), A_DAY)
    at, sent = _http_date(value), _http_date(headers.get("Date", ""))
    if at is None:
        return None
    # Measured against the service's own clock where it tells it: the two may differ.
    return min(max((at - (sent or clock.now())).total_seconds(), 0.0), A_DAY)


def _http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
