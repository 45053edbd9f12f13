"""Half of each page of conversations stays free, so that a re-tag writes a row anew beside itself and touches no index.

A conversation's row is a fiftieth of what its messages take. Rows that are there get room as their pages are rewritten.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_tag_step")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE chat_conversation SET (fillfactor = 50)", "ALTER TABLE chat_conversation RESET (fillfactor)"
        )
    ]
