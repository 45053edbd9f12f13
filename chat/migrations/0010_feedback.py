"""Thumbs, what was said beside them, and whether one exchange may train: a "no" and a taking back outlive a backup."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.clock

GUARD = """
CREATE FUNCTION chat_guard_feedback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said chat_feedback := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    INSERT INTO privacy_guardentry (kind, said) SELECT 'feedback', jsonb_build_object(
        'feedback', said.key, 'message', message.public_id, 'person', person.public_id, 'thumb', said.thumb,
        'gone', TG_OP = 'DELETE')
    FROM chat_message AS message, accounts_user AS person
    WHERE message.id = said.message_id AND person.id = said.user_id;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT OR UPDATE ON chat_feedback FOR EACH ROW
    WHEN (NEW.may_train IS FALSE) EXECUTE FUNCTION chat_guard_feedback();
CREATE TRIGGER guard_gone AFTER DELETE ON chat_feedback FOR EACH ROW EXECUTE FUNCTION chat_guard_feedback();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0009_training_sets"),
        ("privacy", "0021_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingmember",
            name="message",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="chat.message"
            ),
        ),
        migrations.CreateModel(
            name="Feedback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("thumb", models.CharField(choices=[("up", "Good answer"), ("down", "Bad answer")], max_length=4)),
                ("comment", models.TextField(blank=True)),
                ("may_train", models.BooleanField(null=True)),
                ("given_at", models.DateTimeField(default=accounts.clock.now)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="feedback", to="chat.message"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("message", "user"), name="one_feedback_of_each"),
                    models.CheckConstraint(
                        condition=models.Q(("thumb__in", ["up", "down"])), name="thumb_is_up_or_down"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("may_train__isnull", True)),
                            models.Q(("decided_at__isnull", False), ("may_train__isnull", False)),
                            _connector="OR",
                        ),
                        name="an_answer_has_its_moment",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE chat_feedback ALTER COLUMN comment SET STATISTICS 0",
            "ALTER TABLE chat_feedback ALTER COLUMN comment SET STATISTICS -1",
        ),
        migrations.RunSQL(
            GUARD,
            "DROP TRIGGER guard ON chat_feedback; DROP TRIGGER guard_gone ON chat_feedback;"
            " DROP FUNCTION chat_guard_feedback()",
        ),
    ]
