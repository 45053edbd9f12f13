"""No samples of what people wrote in PostgreSQL's statistics, where they would outlive a deletion."""

from django.db import migrations

COLUMNS = [("chat_message", "text"), ("chat_message", "html"), ("chat_conversation", "title")]


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0",
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1",
        )
        for table, column in COLUMNS
    ]
