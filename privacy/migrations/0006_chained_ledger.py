"""Events are chained by subject and authenticated; a Merkle tree with signed heads stands over them."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import accounts.clock
from privacy.evidence import entry, keys

TABLES = ("privacy_leaf", "privacy_treenode", "privacy_treehead", "privacy_ledgerkey")
GUARD = """
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
"""
SOURCES = {"choice_page": "page"}


def chain(apps, schema_editor):
    """Events recorded so far are chained and authenticated as if they had been from the beginning."""
    schema_editor.execute("ALTER TABLE privacy_event DISABLE TRIGGER USER")
    (mac_id, mac_key), last = keys.mac_key(), {}
    for event in apps.get_model("privacy", "Event").objects.order_by("pk").iterator():
        event.key = uuid.uuid4()
        event.source = SOURCES.get(event.source, event.source)
        event.previous = last.get(event.subject, "") if event.subject else ""
        names = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")
        event.hash = entry.hash_of(entry.said(**{name: getattr(event, name) for name in names}))
        event.mac, event.mac_key = entry.mac_of(event.hash, mac_key), mac_id
        event.save()
        last[event.subject] = event.hash
    schema_editor.execute("ALTER TABLE privacy_event ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("privacy", "0005_versions_of_terms")]
    operations = [
        migrations.CreateModel(
            name="ContextSalt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("salt", models.BinaryField(max_length=32)),
                ("from_at", models.DateTimeField(default=accounts.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("position", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="LedgerKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key_id", models.CharField(max_length=16, unique=True)),
                ("public", models.CharField(max_length=64)),
                ("from_at", models.DateTimeField(default=accounts.clock.now)),
                ("vouched_by", models.CharField(blank=True, max_length=16)),
                ("voucher", models.CharField(blank=True, max_length=128)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="TreeHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.PositiveBigIntegerField()),
                ("root", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=accounts.clock.now)),
                ("key_id", models.CharField(max_length=16)),
                ("signature", models.CharField(max_length=128)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="TreeNode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.PositiveSmallIntegerField()),
                ("index", models.PositiveBigIntegerField()),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name="event",
            name="context",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="event",
            name="hash",
            field=models.CharField(default="", editable=False, max_length=64, verbose_name="SHA-256"),
            preserve_default=False,
        ),
        migrations.AddField("event", "key", models.UUIDField(null=True, editable=False)),
        migrations.AddField(
            model_name="event",
            name="mac",
            field=models.CharField(default="", editable=False, max_length=64, verbose_name="HMAC-SHA256"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="event",
            name="mac_key",
            field=models.CharField(default="", editable=False, max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="event",
            name="previous",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AlterField(
            model_name="event",
            name="act",
            field=models.CharField(
                choices=[
                    ("notice_shown", "Was shown the terms and the question"),
                    ("gpc_seen", "The browser asked sites not to share data (Global Privacy Control)"),
                    ("deferred", "Put the answer off"),
                    ("terms_accepted", "Accepted the terms"),
                    ("training_allowed", "Allowed training"),
                    ("training_denied", "Did not allow training"),
                    ("training_withdrawn", "Withdrew the permission to train"),
                    ("training_ended", "Training was ended, for it is asked of adults only"),
                    ("history_kept", "Asked to keep the history"),
                    ("history_not_kept", "Asked not to keep the history for longer than needed"),
                    ("reminder_sent", "Was reminded of the question by e-mail"),
                    ("erased", "The account was erased, and with it the link to this evidence"),
                    ("terms_published", "Terms were published"),
                    ("deadline_moved", "A deadline was moved to a later day"),
                    ("agreement_signed", "A Work agreement was signed"),
                    ("key_rotated", "The ledger's keys were replaced"),
                    ("purged", "Conversations were purged"),
                ],
                max_length=24,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="source",
            field=models.CharField(
                choices=[
                    ("dialog", "dialog"),
                    ("page", "page"),
                    ("settings", "settings"),
                    ("admin", "admin"),
                    ("api", "api"),
                    ("sweep", "sweep"),
                    ("schedule", "schedule"),
                    ("operator", "operator"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="subject",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.RunPython(chain, migrations.RunPython.noop),
        migrations.AlterField("event", "key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["subject", "id"], name="event_of_subject"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("subject", "previous"), name="one_event_follows_another"),
        ),
        migrations.AddField(
            model_name="leaf",
            name="event",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="leaf", to="privacy.event"
            ),
        ),
        migrations.AddConstraint(
            model_name="treenode",
            constraint=models.UniqueConstraint(fields=("level", "index"), name="one_node_each"),
        ),
        *(migrations.RunSQL(GUARD.format(table=table)) for table in TABLES),
    ]
