"""Legal holds on people, workspaces and conversations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_age_refused_at"),
        ("privacy", "0011_outbox"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(blank=True, max_length=60)),
                ("key", models.UUIDField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("placed_at", models.DateTimeField(default=accounts.clock.now)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("release_reason", models.TextField(blank=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "permissions": [("place_hold", "Can place legal holds and release them")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("key__isnull", True), ("user__isnull", False), ("workspace__isnull", True)),
                            models.Q(("key__isnull", True), ("user__isnull", True), ("workspace__isnull", False)),
                            models.Q(("key__isnull", False), ("user__isnull", True), ("workspace__isnull", True)),
                            _connector="OR",
                        ),
                        name="a_hold_is_on_one_thing",
                    )
                ],
            },
        ),
    ]
