"""What is said beside a thumb: a comment, and one of two answers about the exchange, neither of them preselected."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from chat.models import Feedback
from chat.models.feedback import COMMENT_LENGTH

ANSWERS = {"yes": True, "no": False}


class FeedbackForm(forms.Form):
    comment = forms.CharField(
        label=_("What was good or bad about it?"),
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Up to 1,000 characters. Your comment never trains anything; it goes when the chat goes."),
        error_messages={"max_length": _("Your comment has %(show_value)s characters; the limit is 1,000. Shorten it.")},
    )
    may_train = forms.ChoiceField(
        choices=[(answer, answer) for answer in ANSWERS],
        required=False,
        error_messages={"invalid_choice": _("Please choose one of the two, or leave both free.")},
    )
    stands = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None = None, *, given: Feedback) -> None:
        """A browser sends two characters for the end of a line, and counts one."""
        if data is not None:
            data = data.copy()
            data["comment"] = data.get("comment", "").replace("\r\n", "\n")
        super().__init__(data, initial={"comment": given.comment, "may_train": given.stands}, auto_id=_ids(given))
        if data is not None:
            self.both = len(set(data.getlist("may_train"))) > 1

    def clean_may_train(self) -> Any:
        """Both answers at once are none."""
        if self.both:
            raise forms.ValidationError(self.fields["may_train"].error_messages["invalid_choice"])
        return ANSWERS.get(self.cleaned_data["may_train"])


def _ids(given: Feedback) -> str:
    """The form may stand under several answers of one page."""
    return f"%s-{given.message.public_id}"
