"""Refusals of the chat, each with the code and the sentence that pages and frames carry."""


class Refused(Exception):
    """An act that cannot be done. `status` is the HTTP status of the same refusal."""

    code = "refused"
    status = 400
    message = "This cannot be done."

    def __init__(self, message: str = "") -> None:
        self.message = message or self.message
        super().__init__(self.message)


class BadText(Refused):
    code = "bad_text"
    message = "There is no text to send. Write something first."


class TooLong(Refused):
    code = "too_long"
    status = 413

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"Your text has {length:,} characters; the limit is {limit:,}. Shorten it or send it in parts."
        )


class Busy(Refused):
    code = "busy"
    status = 409
    message = "An answer is still being written here. Wait for it or stop it first."


class NotPossible(Refused):
    code = "not_possible"
    status = 409
    message = "This answer cannot be continued or retried."


class LimitReached(Refused):
    code = "limit_reached"
    status = 429

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have used all {limit} messages of your plan for now. They come back one by one as time passes; "
            "the line below says when."
        )


class BadFrame(Refused):
    code = "bad_frame"
    message = "The page sent something Parley does not understand. Reload it."


class NoModel(Refused):
    code = "no_model"
    status = 503
    message = "No model is configured."


class Missing(Refused):
    """`accounts.errors.NotFound`, as a frame or JSON answer says it."""

    code = "not_found"
    status = 404
    message = "This is not here (any more)."
