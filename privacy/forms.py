"""The question and its answer. Nothing is preselected, and the answer is tied to exactly what was shown."""

import hashlib
from typing import TYPE_CHECKING, Any

from django import forms
from django.core import signing

from privacy.choices import is_asked
from privacy.errors import StaleAnswer
from privacy.models import Terms
from privacy.vocabulary import Training

if TYPE_CHECKING:
    from accounts.models import User

SALT = "privacy.choice"
VALID_SECONDS = 24 * 60 * 60


class ChoiceForm(forms.Form):
    training = forms.ChoiceField(
        choices=[(answer.value, answer.words) for answer in Training],
        widget=forms.RadioSelect,
        required=False,
    )
    keep_history = forms.BooleanField(required=False, label="Keep my history")

    def __init__(self, *args: Any, user: "User", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = is_asked(user)
        if not self.asked:
            del self.fields["training"]

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or {}
        if self.asked and "training" not in self.errors and not answers.get("training"):
            self.add_error("training", "Please choose one of the two: there is no answer until you give one.")
        return answers

    @property
    def answer(self) -> Training | None:
        return Training(self.cleaned_data["training"]) if self.asked else None


def options(user: "User", terms: Terms) -> list[dict[str, str]]:
    """The two answers, equal in everything, in an order that is random per person but stable."""
    if not is_asked(user):
        return []
    both = [
        {
            "value": Training.ALLOW.value,
            "title": Training.ALLOW.words,
            "sentence": f"Chats begun from now on may be used to train models and are kept for {terms.training_years} "
            "years after their last message.",
        },
        {
            "value": Training.DENY.value,
            "title": Training.DENY.words,
            "sentence": f"Your chats are not used to train models and are kept for {terms.standard_days} days "
            "after their last message.",
        },
    ]
    flipped = hashlib.sha256(user.public_id.bytes).digest()[0] % 2
    return both[::-1] if flipped else both


def token_for(user: "User", terms: Terms) -> str:
    """Ties an answer to the person and to the text that was shown."""
    return signing.dumps({"person": str(user.public_id), "terms": terms.digest}, salt=SALT)


def check_token(token: str, user: "User", terms: Terms) -> None:
    """Raise StaleAnswer unless `token` was made for this person and exactly this text, less than a day ago."""
    try:
        shown = signing.loads(token, salt=SALT, max_age=VALID_SECONDS)
    except signing.BadSignature as error:
        raise StaleAnswer from error
    if shown != {"person": str(user.public_id), "terms": terms.digest}:
        raise StaleAnswer
