"""What people were shown and reminded of."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [("privacy", "0006_chained_ledger"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("dialog", "dialog"),
                            ("page", "page"),
                            ("settings", "settings"),
                            ("admin", "admin"),
                            ("api", "api"),
                            ("sweep", "sweep"),
                            ("schedule", "schedule"),
                            ("operator", "operator"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "order",
                    models.CharField(
                        choices=[("allow_first", "allow_first"), ("deny_first", "deny_first")], max_length=12
                    ),
                ),
                ("language", models.CharField(max_length=10)),
                ("event", models.UUIDField(editable=False)),
                ("shown_at", models.DateTimeField(default=accounts.clock.now)),
                ("deferred_at", models.DateTimeField(blank=True, null=True)),
                ("deferrals", models.PositiveSmallIntegerField(default=0)),
                ("gpc", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deadline", models.DateTimeField()),
                ("days", models.PositiveSmallIntegerField()),
                ("message_id", models.CharField(max_length=120, unique=True)),
                ("claimed_at", models.DateTimeField(default=accounts.clock.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="standing",
            name="despite_gpc",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="notice",
            name="terms",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="privacy.terms"),
        ),
        migrations.AddField(
            model_name="notice",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="reminder",
            name="terms",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="privacy.terms"),
        ),
        migrations.AddField(
            model_name="reminder",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reminders", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("user", "terms", "source", "order", "language"), name="one_notice_of_each_form"
            ),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.UniqueConstraint(
                fields=("user", "terms", "deadline", "days"), name="one_reminder_of_each"
            ),
        ),
    ]
