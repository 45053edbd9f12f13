"""Who is there: people, known by e-mail address and, outside, by a public UUID."""

import uuid
from datetime import date
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower

from accounts import clock, places
from accounts.age import adulthood, below_minimum
from accounts.models.workspace import Workspace


class LowercaseEmailField(models.EmailField):
    """An address kept and looked up in lower case: `Alice@X.org` and `alice@x.org` are one account."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return prepared.lower() if isinstance(prepared, str) else prepared

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **details: Any) -> "User":
        """Open an account with its personal workspace, in one transaction.

        Raises ValidationError for a person below the minimum age.
        """
        user = self.model(email=email, **details)
        user.set_password(password)
        user.open()
        return user

    def create_superuser(self, email: str, password: str | None = None, **details: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **details)


class User(AbstractBaseUser, PermissionsMixin):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = LowercaseEmailField(
        "e-mail address", unique=True, error_messages={"unique": "There is an account with this e-mail address."}
    )
    display_name = models.CharField("name", max_length=80, blank=True)
    locale = models.CharField("language", max_length=10, default="en", choices=places.languages)
    time_zone = models.CharField(max_length=64, default="UTC", choices=places.time_zones)
    region = models.CharField("country or region", max_length=2, blank=True, choices=places.regions)
    date_of_birth = models.DateField(null=True, blank=True)
    # Whoever said they are below the minimum age does not say otherwise later: from then on staff sets the date.
    age_refused_at = models.DateTimeField("refused for their age", null=True, blank=True, editable=False)
    is_staff = models.BooleanField("staff", default=False, help_text="May enter the administration.")
    is_active = models.BooleanField("active", default=True, help_text="Without it, nobody can sign in here.")
    joined_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_in_lower_case")]

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        return self.display_name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name().split("@")[0].split(" ")[0]

    @transaction.atomic
    def open(self) -> None:
        """Save a new person together with the personal workspace that everyone has.

        Raises ValidationError for a person below the minimum age.
        """
        if self.date_of_birth and below_minimum(self.date_of_birth, clock.now().date()):
            raise ValidationError({"date_of_birth": "Parley cannot offer an account at this age."})
        self.save(force_insert=True)
        Workspace.objects.open_personal(owner=self)

    def refuse_age(self) -> None:
        """Keep that this person said they are below the minimum age; the first time stands."""
        User.objects.filter(pk=self.pk, age_refused_at=None).update(age_refused_at=clock.now())

    @property
    def age_is_settled(self) -> bool:
        """Whether only staff may set or correct the date of birth: consent was judged by one, or refused for one."""
        return bool(self.date_of_birth or self.age_refused_at)

    def adult_since(self) -> date | None:
        """The day from which this person counts as an adult; None while the age is unknown."""
        return adulthood(self.date_of_birth) if self.date_of_birth else None
