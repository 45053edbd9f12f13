"""What each run of the sweep did by class and reason, and what it asked staff before it did more than usual."""

from django.db import migrations, models

import accounts.clock


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0009_agreements"),
    ]

    operations = [
        migrations.AddField(
            model_name="sweeprun",
            name="by_reason",
            field=models.JSONField(default=dict, verbose_name="by class and reason"),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="bytes",
            field=models.PositiveBigIntegerField(default=0, verbose_name="bytes of text purged"),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="chunks",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="clock_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="deleted",
            field=models.PositiveIntegerField(default=0, verbose_name="of these deleted by people"),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="rows",
            field=models.PositiveIntegerField(default=0, verbose_name="rows purged with them"),
        ),
        migrations.AddField(
            model_name="sweeprun",
            name="stopped_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("many", "much more was due than usual"),
                    ("clock", "the clock was in doubt"),
                    ("shutdown", "the worker was told to stop"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="SweepStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("many", "much more was due than usual"),
                            ("clock", "the clock was in doubt"),
                            ("shutdown", "the worker was told to stop"),
                        ],
                        max_length=8,
                    ),
                ),
                ("doubt", models.CharField(blank=True, max_length=200)),
                ("asked_at", models.DateTimeField(default=accounts.clock.now)),
                ("due", models.PositiveIntegerField()),
                ("live", models.PositiveIntegerField()),
                ("groups", models.JSONField(default=list)),
                ("history", models.JSONField(default=list)),
                ("largest", models.PositiveIntegerField(default=0)),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("go_on", "Go on"), ("no", "No"), ("moot", "No longer needed")],
                        max_length=5,
                    ),
                ),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(blank=True)),
                ("left", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["-pk"],
                "permissions": [("answer_sweepstop", "Can let a stopped sweep go on, or not")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answer", "")), fields=("answer",), name="one_open_question"
                    )
                ],
            },
        ),
    ]
