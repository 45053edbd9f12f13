"""Re-tags that are too many for one request, and what comparisons of all tags with the policy found."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_age_refused_at"),
        ("privacy", "0015_pacing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TagCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(default=accounts.clock.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("slow", models.BooleanField(default=False, verbose_name="one by one")),
                ("checked", models.PositiveIntegerField(default=0)),
                ("waiting", models.PositiveIntegerField(default=0, verbose_name="waiting for a re-tag")),
                ("drifted", models.PositiveIntegerField(default=0)),
                ("by_column", models.JSONField(blank=True, default=dict)),
                ("by_reason", models.JSONField(blank=True, default=dict, verbose_name="by stored class and reason")),
                ("examples", models.JSONField(blank=True, default=list)),
            ],
            options={"ordering": ["-pk"]},
        ),
        migrations.CreateModel(
            name="Retagging",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField(default=accounts.clock.now)),
                ("training", models.CharField(blank=True, max_length=5, null=True)),
                ("keep_history", models.BooleanField(default=False)),
                ("epoch", models.PositiveIntegerField(default=0)),
                ("adult_since", models.DateField(blank=True, null=True)),
                ("stays", models.DurationField(blank=True, null=True)),
                ("worked_at", models.DateTimeField(default=accounts.clock.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("reached", models.JSONField(blank=True, default=dict)),
                (
                    "agreement",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="privacy.agreement",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="privacy.hold",
                    ),
                ),
                (
                    "terms",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="privacy.terms",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("retag_everybody", "Can have every conversation tagged anew")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)), fields=["workspace"], name="open_retagging"
                    )
                ],
            },
        ),
    ]
