"""What deletion certificates are made of: what went with each tombstone, when stores had forgotten, whose it was."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0017_flags"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("tombstone", "event", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("tombstone", "went", models.JSONField(default=dict)),
        migrations.AddField("outbox", "event", models.BigIntegerField(editable=False, null=True)),
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store", models.CharField(max_length=30)),
                ("event", models.BigIntegerField(db_index=True)),
                ("keys", models.PositiveIntegerField()),
                ("at", models.DateTimeField(default=accounts.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Deletion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField()),
                ("deleted_at", models.DateTimeField()),
                ("purged_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-purged_at", "-pk"],
                "indexes": [models.Index(fields=["user", "-purged_at"], name="deletions_of_person")],
            },
        ),
        migrations.CreateModel(
            name="AccountCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(unique=True)),
                ("event", models.BigIntegerField()),
                ("said", models.JSONField()),
                ("issued_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField("erasure", "due_at", models.DateTimeField(default=accounts.clock.now)),
        migrations.AddField("erasure", "gone", models.JSONField(default=dict)),
        # What is under way gets a certificate too: each one its own.
        migrations.AddField("erasure", "certificate", models.UUIDField(default=None, editable=False, null=True)),
        migrations.RunSQL("UPDATE privacy_erasure SET certificate = gen_random_uuid()", migrations.RunSQL.noop),
        migrations.AlterField(
            "erasure", "certificate", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
        ),
        migrations.RenameField("letter", "review", "about"),
        migrations.AlterField(
            "letter",
            "what",
            models.CharField(
                choices=[
                    ("flagged", "A chat is under review"),
                    ("upheld", "An appeal is answered, and the review goes on"),
                    ("ended", "A review has ended"),
                    ("leaving", "The account is going to be deleted"),
                ],
                max_length=7,
            ),
        ),
    ]
