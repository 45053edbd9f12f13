"""How allauth opens accounts here: through `User.open()`, so that nobody is without a workspace."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from accounts.changes import signed_out
from accounts.closed import way_back
from accounts.models import User

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:  # type: ignore[override]
        """Open the account with the details of the sign-up form."""
        super().save_user(request, user, form, commit=False)
        for name in ("display_name", "date_of_birth", "region", "time_zone"):
            setattr(user, name, form.cleaned_data[name])
        language = get_language() or settings.LANGUAGE_CODE
        user.locale = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        if commit:
            user.open()
        return user

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:  # type: ignore[override]
        """Whoever has asked for the deletion of the account may still come back."""
        return way_back(request, user) or super().respond_user_inactive(request, user)

    def logout(self, request: HttpRequest) -> None:
        """Sign out, and let open connections of this session hear of it (once the session is gone)."""
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            signed_out(user)

    def set_password(self, user: User, password: str) -> None:  # type: ignore[override]
        """Set a password, given, changed or reset: it ends all sessions but the one that may have asked for it."""
        super().set_password(user, password)
        signed_out(user)

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses of the host that was asked; allauth would take any of ALLOWED_HOSTS."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or say that it failed: what the person did has been saved and must not end in an error page."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException) as error:
            log.error("Mail %s could not be sent: %s", template_prefix, type(error).__name__)
            messages.error(self.request, "The e-mail could not be sent. Please try again later.")
