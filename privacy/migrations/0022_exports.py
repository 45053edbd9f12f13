"""The file of one's data that is made in the background."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0021_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="letter",
            name="what",
            field=models.CharField(
                choices=[
                    ("flagged", "A chat is under review"),
                    ("upheld", "An appeal is answered, and the review goes on"),
                    ("ended", "A review has ended"),
                    ("leaving", "The account is going to be deleted"),
                    ("ready", "The file of one's data is made"),
                ],
                max_length=7,
            ),
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("making", "Being made"),
                            ("ready", "Ready"),
                            ("failed", "Could not be made"),
                            ("expired", "Its time is over"),
                        ],
                        default="making",
                        max_length=7,
                    ),
                ),
                ("asked_at", models.DateTimeField(default=accounts.clock.now)),
                ("queued_at", models.DateTimeField(default=accounts.clock.now)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("held_until", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[("no_room", "There was no room for it"), ("broken", "It failed several times")],
                        max_length=7,
                    ),
                ),
                ("offset", models.BigIntegerField(default=0)),
                ("directory", models.BigIntegerField(default=0)),
                ("members", models.BigIntegerField(default=0)),
                ("reached", models.JSONField(blank=True, default=dict)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("bytes", models.BigIntegerField(blank=True, null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ready"), _negated=True),
                            models.Q(("bytes__isnull", False), ("expires_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="ready_has_an_end",
                    )
                ],
            },
        ),
    ]
