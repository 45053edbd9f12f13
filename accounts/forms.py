"""Sign-up and profile. The date of birth is asked neutrally, may be left out, and is asked once."""

from datetime import date, datetime, timedelta
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm, SignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from accounts import clock, places
from accounts.age import below_minimum
from accounts.changes import age_changed
from accounts.models import User

REFUSED_UNTIL = "age_refused_until"
REFUSED_FOR = timedelta(days=1)


def no_preference() -> places.Choices:
    return [("", "Prefer not to say"), *places.regions()]


def birth_date_field() -> forms.DateField:
    """Neutral: nothing near it says which answer opens the door."""
    return forms.DateField(
        label="Date of birth",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
        help_text="Optional. Without it, your conversations are never used to train models.",
    )


def check_age(born: date | None, session: SessionBase) -> None:
    """Refuse those below the minimum age, and for a day every other date from the same browser.

    Raises ValidationError.
    """
    today = clock.now().date()
    refused_until = session.get(REFUSED_UNTIL)
    if refused_until and clock.now() < datetime.fromisoformat(refused_until):
        raise _too_young()
    if born is None:
        return
    if not today - timedelta(days=130 * 366) < born <= today:
        raise ValidationError({"date_of_birth": "Please check the year: this is not a date of birth."})
    if below_minimum(born, today):
        session[REFUSED_UNTIL] = (clock.now() + REFUSED_FOR).isoformat()
        raise _too_young()


def _too_young() -> ValidationError:
    return ValidationError(
        f"Thank you for your interest. Parley is for people aged {settings.MINIMUM_AGE} or older, "
        "so it cannot open an account for you yet. Nothing that you entered was kept.",
        code="too_young",
    )


class SignUpForm(SignupForm):
    display_name = forms.CharField(
        label="Name",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="Optional. What Parley calls you.",
    )
    date_of_birth = birth_date_field()
    region = forms.ChoiceField(label="Country or region", required=False, choices=no_preference)
    # Filled in by the page's script; whoever has none chooses the zone in the profile.
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ["email", "password1", "display_name", "date_of_birth", "region"]

    def clean_time_zone(self) -> str:
        asked: str = self.cleaned_data["time_zone"]
        return asked if asked in dict(places.time_zones()) else "UTC"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        check_age(cleaned.get("date_of_birth"), context.request.session)
        return cleaned

    def save(self, request: HttpRequest) -> User:
        """Person, workspace and e-mail address: all three or none."""
        with transaction.atomic():
            user = super().save(request)
        assert isinstance(user, User)
        return user

    def try_save(self, request: HttpRequest) -> Any:
        try:
            return super().try_save(request)
        except IntegrityError:
            # Another sign-up with the same address won the race: answer as if that had been seen in time.
            if not User.objects.filter(email=self.cleaned_data["email"]).exists():
                raise
            self.account_already_exists = True
            if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory":
                return super().try_save(request)  # which tells the owner of the address by mail, and nobody else
            messages.error(request, get_adapter().error_messages["email_taken"])
            return None, redirect("account_signup")


class ChangeAddressForm(AddEmailForm):
    @transaction.atomic
    def save(self, request: HttpRequest) -> EmailAddress:
        """Add the new address; the present one serves until it is confirmed.

        The library takes any address that was never confirmed for one still to come, and drops it for a newer one.
        Where addresses are not verified at sign-up, that is the one a person signs in with.
        """
        assert isinstance(self.user, User)
        EmailAddress.objects.filter(user=self.user, verified=False).exclude(email=self.user.email).delete()
        return EmailAddress.objects.add_email(request, self.user, self.cleaned_data["email"], confirm=True)


class ProfileForm(forms.ModelForm):
    region = forms.ChoiceField(label="Country or region", required=False, choices=no_preference)
    date_of_birth = birth_date_field()

    class Meta:
        model = User
        fields = ["display_name", "locale", "time_zone", "region", "date_of_birth"]

    def __init__(self, *args: Any, session: SessionBase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = session
        if self.instance.age_is_settled:
            self.fields["date_of_birth"].disabled = True
            self.fields["date_of_birth"].help_text = "From now on, only Parley's staff can correct this."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.fields["date_of_birth"].disabled and cleaned.get("date_of_birth"):
            self._check_age(cleaned["date_of_birth"])
        return cleaned

    def _check_age(self, born: date) -> None:
        try:
            check_age(born, self.session)
        except ValidationError as error:
            if getattr(error, "code", "") != "too_young":
                raise
            raise ValidationError(
                f"Parley is for people aged {settings.MINIMUM_AGE} or older. The date is not kept, that it was refused "
                "is; if it was a slip, Parley's staff can correct it.",
                code="too_young",
            ) from error

    @property
    def says_too_young(self) -> bool:
        """Whether the date that was given, and not an earlier one of this browser, is below the minimum age."""
        refused = self.has_error(NON_FIELD_ERRORS, "too_young")
        return refused and below_minimum(self.cleaned_data["date_of_birth"], clock.now().date())

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        person: User = super().save(commit)
        if commit and "date_of_birth" in self.changed_data:
            age_changed(person)
        return person
