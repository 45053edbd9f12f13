"""The question and its answer. Nothing is preselected, and the answer is tied to exactly what was shown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from privacy import notices
from privacy.choices import is_asked
from privacy.errors import StaleAnswer
from privacy.models import Notice, Standing, Terms
from privacy.prose import may_train, never_trains
from privacy.vocabulary import Order, Training

if TYPE_CHECKING:
    from accounts.models import User

SALT = "privacy.choice"
VALID_SECONDS = 24 * 60 * 60


class Tick(forms.CheckboxInput):
    """A box that only its own word ticks: Django's takes any other, "off" and "no" among them, for a yes."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        return bool(data.get(name) == "on")


class ChoiceForm(forms.Form):
    training = forms.ChoiceField(
        choices=[(answer.value, answer.words) for answer in Training],
        widget=forms.RadioSelect,
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("Please choose one of the two: there is no answer until you give one.")
        },
    )
    keep_history = forms.BooleanField(required=False, label="Keep my history", widget=Tick)
    despite_gpc = forms.BooleanField(required=False, widget=Tick)

    def __init__(self, *args: Any, user: "User", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = is_asked(user)
        if not self.asked:
            del self.fields["training"]

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or {}
        if self.asked and "training" not in self.errors and not (answers.get("training") and self._says_one_thing()):
            self.add_error("training", _("Please choose one of the two: there is no answer until you give one."))
        return answers

    def _says_one_thing(self) -> bool:
        """Both answers at once are none, whichever stands last."""
        return not isinstance(self.data, QueryDict) or len(set(self.data.getlist("training"))) == 1

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
            "sentence": may_train(terms.schedule.training),
        },
        {
            "value": Training.DENY.value,
            "title": Training.DENY.words,
            "sentence": never_trains(terms.schedule.standard),
        },
    ]
    return both if notices.order_for(user) is Order.ALLOW_FIRST else both[::-1]


@dataclass(frozen=True)
class Shown:
    """What a token says its question was put with."""

    terms: str  # digest of the version
    state: str  # Standing.state beside it
    notice: str  # key of the event of the notice; empty if nothing new was asked


def token_for(user: "User", terms: Terms, standing: Standing | None = None, notice: Notice | None = None) -> str:
    """Ties an answer to the person, to the text that was shown and in which form, and to what stood beside it."""
    shown = {
        "person": str(user.public_id),
        "terms": terms.digest,
        "state": _state(standing),
        "notice": str(notice.event) if notice else "",
    }
    return signing.dumps(shown, salt=SALT)


def check_token(token: str, user: "User") -> Shown:
    """What `token` says; StaleAnswer unless it was made for this person less than a day ago."""
    try:
        said = signing.loads(token, salt=SALT, max_age=VALID_SECONDS)
        person, shown = said["person"], Shown(said["terms"], said["state"], said["notice"])
    except (signing.BadSignature, KeyError, TypeError) as error:
        raise StaleAnswer from error
    if person != str(user.public_id):
        raise StaleAnswer
    return shown


def _state(standing: Standing | None) -> str:
    return (standing or Standing()).state
