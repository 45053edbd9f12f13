"""Which re-tag has reached a conversation last. The default is kept in the catalogue: no row is written."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0005_reasons_without_choices"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="tag_step",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
