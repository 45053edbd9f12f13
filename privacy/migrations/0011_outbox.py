"""What must still follow a purge outside the database."""

from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0010_breaker"),
    ]

    operations = [
        migrations.CreateModel(
            name="Outbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store", models.CharField(max_length=30)),
                ("keys", models.JSONField()),
                ("written_at", models.DateTimeField(default=accounts.clock.now)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField(db_index=True, default=accounts.clock.now)),
                ("failure", models.CharField(blank=True, max_length=60, verbose_name="last failure")),
            ],
            options={
                "verbose_name": "outbox",
                "verbose_name_plural": "outbox",
                "ordering": ["pk"],
            },
        ),
    ]
