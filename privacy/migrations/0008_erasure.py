"""Accounts that are being erased, and no samples of people in PostgreSQL's statistics, where they would outlive that."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock

COLUMNS = [
    *(("accounts_user", column) for column in ("email", "display_name", "password")),
    ("account_emailaddress", "email"),
    ("django_session", "session_data"),
    *(("django_admin_log", column) for column in ("object_repr", "change_message")),
]


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0007_notices"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("sessions", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="erasure",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("asked_at", models.DateTimeField(default=accounts.clock.now)),
                ("worked_at", models.DateTimeField(default=accounts.clock.now)),
                ("remaining", models.JSONField(default=list)),
            ],
            options={"ordering": ["asked_at"]},
        ),
        migrations.AddField("sweeprun", "erased", models.PositiveIntegerField(default=0, verbose_name="people erased")),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0",
                f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1",
            )
            for table, column in COLUMNS
        ),
    ]
