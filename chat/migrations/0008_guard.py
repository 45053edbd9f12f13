"""That a conversation is deleted, or comes back, must outlive a backup (privacy/guard/)."""

from django.db import migrations

TRIGGER = """
CREATE TRIGGER guard AFTER UPDATE ON chat_conversation FOR EACH ROW
    WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION privacy_guard_deleted('chat.conversation')
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_room_for_tags"), ("privacy", "0021_guard")]

    operations = [migrations.RunSQL(TRIGGER, "DROP TRIGGER guard ON chat_conversation")]
