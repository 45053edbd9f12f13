"""What runs of the sweep did in total, runs that end by time, and an index of reminders that wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0014_expiry_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="SweepTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("through", models.PositiveBigIntegerField(default=0)),
                ("by_class", models.JSONField(default=dict)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("bytes", models.PositiveBigIntegerField(default=0)),
                ("stopped", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AlterField(
            model_name="sweeprun",
            name="stopped_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("many", "much more was due than usual"),
                    ("clock", "the clock was in doubt"),
                    ("shutdown", "the worker was told to stop"),
                    ("time", "its time was over, and the next run goes on"),
                ],
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="sweepstop",
            name="cause",
            field=models.CharField(
                choices=[
                    ("many", "much more was due than usual"),
                    ("clock", "the clock was in doubt"),
                    ("shutdown", "the worker was told to stop"),
                    ("time", "its time was over, and the next run goes on"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", True)), fields=["deadline"], name="reminder_waiting"
            ),
        ),
    ]
