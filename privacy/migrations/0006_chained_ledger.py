"""Events are chained by subject and authenticated; a Merkle tree with signed heads stands over them."""

import hashlib
import json
import uuid

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
UNGUARD = """
DROP TRIGGER append_only_rows ON {table};
DROP TRIGGER append_only_table ON {table};
"""
GUARD_SALTS = """
CREATE TRIGGER salts_never_change BEFORE UPDATE ON privacy_contextsalt
    FOR EACH ROW EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER salts_go_one_by_one BEFORE TRUNCATE ON privacy_contextsalt
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
"""
UNGUARD_SALTS = """
DROP TRIGGER salts_go_one_by_one ON privacy_contextsalt;
DROP TRIGGER salts_never_change ON privacy_contextsalt;
"""
# As in 0004: whoever was granted anything, the owner apart; not given back on the way back.
REVOKE = """
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT class.relname, acl.grantee
        FROM pg_class AS class, aclexplode(class.relacl) AS acl
        WHERE class.oid IN ('privacy_leaf'::regclass, 'privacy_treenode'::regclass, 'privacy_treehead'::regclass,
                            'privacy_ledgerkey'::regclass, 'privacy_contextsalt'::regclass)
            AND acl.grantee <> class.relowner
    LOOP
        EXECUTE format(
            'REVOKE %s ON %I FROM %s',
            CASE held.relname WHEN 'privacy_contextsalt' THEN 'UPDATE, TRUNCATE' ELSE 'UPDATE, DELETE, TRUNCATE' END,
            held.relname,
            CASE held.grantee WHEN 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END
        );
    END LOOP;
END $$;
"""
# A standing notes the moment of the event that it follows from; until now each had a moment of its own.
SINCE = """
UPDATE privacy_standing SET since = told.at
FROM (
    SELECT subject.user_id, max(event.at) AS at
    FROM privacy_event AS event JOIN privacy_subject AS subject ON subject.key = event.subject
    GROUP BY subject.user_id
) AS told
WHERE told.user_id = privacy_standing.user_id AND since IS NOT NULL;
"""
SOURCES = {"choice_page": "page"}


def chain(apps, schema_editor):
    """Events recorded so far are chained and authenticated as if they had been from the beginning.

    They name terms by the digest that was used until 0005, and get the one that versions are sealed with since.
    """
    schema_editor.execute("ALTER TABLE privacy_event DISABLE TRIGGER USER")
    sealed = {_earlier_digest(terms): terms.digest for terms in apps.get_model("privacy", "Terms").objects.all()}
    (mac_id, mac_key), last = keys.mac_key(), {}
    for event in apps.get_model("privacy", "Event").objects.order_by("pk").iterator():
        event.key = uuid.uuid4()
        event.terms = sealed.get(event.terms, event.terms)
        event.source = SOURCES.get(event.source, event.source)
        event.previous = last.get(event.subject, "") if event.subject else ""
        names = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")
        event.hash = entry.hash_of(entry.said(**{name: getattr(event, name) for name in names}))
        event.mac, event.mac_key = entry.mac_of(event.hash, mac_key), mac_id
        event.save()
        last[event.subject] = event.hash
    schema_editor.execute("ALTER TABLE privacy_event ENABLE TRIGGER USER")


def _earlier_digest(terms):
    names = ("slug", "title", "summary", "body", "training_years", "standard_days", "temporary_hours", "deletion_hours")
    seen = {name: getattr(terms, name) for name in names}
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


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
            options={
                "verbose_name_plural": "leaves",
            },
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
                ("origin", models.CharField(max_length=200)),
                ("size", models.PositiveBigIntegerField()),
                ("root", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_index=True, default=accounts.clock.now)),
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
            field=models.CharField(max_length=24),
        ),
        migrations.AlterField(
            model_name="event",
            name="source",
            field=models.CharField(max_length=16),
        ),
        migrations.AlterField(
            model_name="event",
            name="subject",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.RunPython(chain, migrations.RunPython.noop),
        migrations.RunSQL(SINCE, migrations.RunSQL.noop),
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
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES),
        migrations.RunSQL(GUARD_SALTS, UNGUARD_SALTS),
        migrations.RunSQL(REVOKE, migrations.RunSQL.noop),
    ]
