"""A new reason needs no migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0004_work_outlives_its_author"),
    ]

    operations = [
        migrations.AlterField(
            model_name="conversation",
            name="tag_reason",
            field=models.CharField(editable=False, max_length=12),
        ),
    ]
