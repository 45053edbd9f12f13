from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_no_statistics_of_text")]
    operations = [
        migrations.AddField("message", "queued_at", models.DateTimeField(blank=True, null=True)),
    ]
