"""What deletion certificates are made of: what went with each tombstone, when stores had forgotten, whose it was."""

import django.contrib.postgres.indexes
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
        migrations.AddIndex(
            "tombstone",
            django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=["event"], name="tombstones_of_event"),
        ),
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
    ]
