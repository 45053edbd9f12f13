"""Agreements of Work workspaces: versions that the database refuses to change, and the one in force."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import accounts.clock

GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON privacy_agreement
    FOR EACH ROW EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_agreement
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
"""
UNGUARD = """
DROP TRIGGER append_only_table ON privacy_agreement;
DROP TRIGGER append_only_rows ON privacy_agreement;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_age_refused_at"),
        ("privacy", "0008_erasure"),
    ]

    operations = [
        migrations.CreateModel(
            name="Agreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "retention_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Counted from the last message. Left empty: never.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(36500),
                        ],
                        verbose_name="days until chats are hidden",
                    ),
                ),
                ("training", models.BooleanField(default=False, verbose_name="chats may train models")),
                ("signed_at", models.DateTimeField(default=accounts.clock.now)),
                ("event", models.UUIDField(editable=False, unique=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="agreements", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Agreed",
            fields=[
                (
                    "workspace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="agreed",
                        serialize=False,
                        to="accounts.workspace",
                    ),
                ),
                ("epoch", models.PositiveIntegerField(default=0)),
                (
                    "agreement",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="privacy.agreement"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retention_days__isnull", True),
                    models.Q(("retention_days__gte", 1), ("retention_days__lte", 36500)),
                    _connector="OR",
                ),
                name="agreed_days_are_days",
            ),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
