"""When staff was told of a stopped sweep by e-mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0012_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="sweepstop",
            name="told_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="staff told by e-mail"),
        ),
    ]
