"""Safety reviews with their appeals and e-mails, and who reads what is held or under review."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock

# What people and staff wrote: no samples of it in PostgreSQL's statistics, where they would outlive its rows.
WRITTEN = [("privacy_flag", "reason"), ("privacy_flag", "told"), ("privacy_flag", "release_reason")]
WRITTEN += [("privacy_appeal", "text"), ("privacy_appeal", "told")]


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0016_retagging"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Flag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(max_length=60)),
                ("key", models.UUIDField()),
                ("reason", models.TextField()),
                ("told", models.TextField()),
                ("flagged_at", models.DateTimeField(default=accounts.clock.now)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("release_reason", models.TextField(blank=True)),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("place_flag", "Can flag conversations, answer appeals and end reviews")],
            },
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                (
                    "flag",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="appeal",
                        serialize=False,
                        to="privacy.flag",
                    ),
                ),
                ("text", models.TextField(max_length=2000)),
                ("made_at", models.DateTimeField(default=accounts.clock.now)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("upheld", "The review goes on"), ("granted", "The review was ended")],
                        max_length=7,
                    ),
                ),
                ("told", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("flagged", "A chat is under review"),
                            ("upheld", "An appeal is answered, and the review goes on"),
                            ("ended", "A review has ended"),
                        ],
                        max_length=7,
                    ),
                ),
                ("review", models.UUIDField()),
                ("message_id", models.CharField(max_length=120, unique=True)),
                ("written_at", models.DateTimeField(default=accounts.clock.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "flag",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readers",
                        to="privacy.flag",
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readers",
                        to="privacy.hold",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=accounts.clock.now)),
                ("under", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=60)),
                ("key", models.UUIDField()),
                ("event", models.UUIDField(default=uuid.uuid4)),
                (
                    "reader",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("read_held", "Can be named to read what is held or under review")],
            },
        ),
        migrations.AddIndex(
            model_name="flag",
            index=models.Index(fields=["key"], name="flag_of_conversation"),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("released_at__isnull", True)), fields=("kind", "key"), name="one_review_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("told", ""), _negated=True)),
                name="a_review_is_reasoned_and_told",
            ),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(condition=models.Q(("sent_at__isnull", True)), fields=["id"], name="letter_waiting"),
        ),
        migrations.AddConstraint(
            model_name="reader",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("flag__isnull", True), ("hold__isnull", False)),
                    models.Q(("flag__isnull", False), ("hold__isnull", True)),
                    _connector="OR",
                ),
                name="a_reader_is_named_by_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="reader",
            constraint=models.UniqueConstraint(fields=("hold", "user"), name="named_once_by_a_hold"),
        ),
        migrations.AddConstraint(
            model_name="reader",
            constraint=models.UniqueConstraint(fields=("flag", "user"), name="named_once_by_a_flag"),
        ),
        migrations.AddIndex(
            model_name="reading",
            index=models.Index(fields=["key"], name="reading_of_conversation"),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0",
                f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1",
            )
            for table, column in WRITTEN
        ),
    ]
