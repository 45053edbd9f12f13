"""What must outlive a backup is written down by the database itself, whoever decides it."""

import django.contrib.postgres.functions
import django.db.models.functions.datetime
from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION privacy_guard_purged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said)
    SELECT 'purged', jsonb_build_object('kind', kind, 'keys', jsonb_agg(key)) FROM stones GROUP BY kind;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON privacy_tombstone REFERENCING NEW TABLE AS stones
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_guard_purged();

CREATE FUNCTION privacy_guard_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said)
    SELECT 'answered', jsonb_build_object('person', public_id, 'training', NEW.training, 'epoch', NEW.epoch)
    FROM accounts_user WHERE id = NEW.user_id;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_first AFTER INSERT ON privacy_standing FOR EACH ROW
    WHEN (NEW.training IS NOT NULL) EXECUTE FUNCTION privacy_guard_answered();
CREATE TRIGGER guard AFTER UPDATE ON privacy_standing FOR EACH ROW
    WHEN (OLD.training IS DISTINCT FROM NEW.training OR OLD.epoch <> NEW.epoch)
    EXECUTE FUNCTION privacy_guard_answered();

CREATE FUNCTION privacy_guard_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said)
    SELECT 'agreed', jsonb_build_object('workspace', w.public_id, 'training', a.training, 'epoch', NEW.epoch)
    FROM accounts_workspace w, privacy_agreement a WHERE w.id = NEW.workspace_id AND a.id = NEW.agreement_id;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER UPDATE ON privacy_agreed FOR EACH ROW
    WHEN (OLD.agreement_id IS DISTINCT FROM NEW.agreement_id OR OLD.epoch <> NEW.epoch)
    EXECUTE FUNCTION privacy_guard_agreed();

CREATE FUNCTION privacy_guard_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said) SELECT 'hold', jsonb_build_object(
        'hold', NEW.id, 'released', NEW.released_at IS NOT NULL, 'kind', NEW.kind, 'key', NEW.key,
        'person', (SELECT public_id FROM accounts_user WHERE id = NEW.user_id),
        'workspace', (SELECT public_id FROM accounts_workspace WHERE id = NEW.workspace_id));
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT OR UPDATE OF released_at ON privacy_hold
    FOR EACH ROW EXECUTE FUNCTION privacy_guard_hold();

CREATE FUNCTION privacy_guard_flag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said) VALUES ('flag', jsonb_build_object(
        'flag', NEW.public_id, 'released', NEW.released_at IS NOT NULL, 'kind', NEW.kind, 'key', NEW.key));
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT OR UPDATE OF released_at ON privacy_flag
    FOR EACH ROW EXECUTE FUNCTION privacy_guard_flag();

-- Whoever comes back is active again before the row goes; whoever is erased is not, and has another key by then.
CREATE FUNCTION privacy_guard_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO privacy_guardentry (kind, said)
        SELECT CASE WHEN is_active THEN 'stayed' ELSE 'erased' END, jsonb_build_object('certificate', OLD.certificate)
        FROM accounts_user WHERE id = OLD.user_id;
    ELSE
        INSERT INTO privacy_guardentry (kind, said)
        SELECT 'leaving', jsonb_build_object('person', public_id, 'certificate', NEW.certificate, 'due_at', NEW.due_at)
        FROM accounts_user WHERE id = NEW.user_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT OR DELETE OR UPDATE OF due_at ON privacy_erasure
    FOR EACH ROW EXECUTE FUNCTION privacy_guard_erasure();

CREATE FUNCTION privacy_guard_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said)
    VALUES ('head', jsonb_build_object('size', NEW.size, 'root', NEW.root, 'at', NEW.at));
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON privacy_treehead FOR EACH ROW EXECUTE FUNCTION privacy_guard_head();

-- For tables of other rooms whose rows carry tags; the argument is what the kind is called.
CREATE FUNCTION privacy_guard_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO privacy_guardentry (kind, said)
    VALUES (CASE WHEN NEW.deleted_at IS NULL THEN 'restored' ELSE 'deleted' END,
            jsonb_build_object('kind', TG_ARGV[0], 'key', NEW.public_id, 'at', NEW.deleted_at));
    RETURN NULL;
END $$;
"""
TABLES = (
    "privacy_tombstone",
    "privacy_standing",
    "privacy_agreed",
    "privacy_hold",
    "privacy_flag",
    "privacy_erasure",
    "privacy_treehead",
)
NAMES = ("purged", "answered", "agreed", "hold", "flag", "erasure", "head", "deleted")
UNDO = [
    *(f"DROP TRIGGER guard ON {table}" for table in TABLES),
    "DROP TRIGGER guard_first ON privacy_standing",
    *(f"DROP FUNCTION privacy_guard_{name}()" for name in NAMES),
]


class Migration(migrations.Migration):
    dependencies = [("privacy", "0020_certificates")]

    operations = [
        migrations.CreateModel(
            name="GuardEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, unique=True
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("said", models.JSONField(default=dict)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sequence", models.BigIntegerField(null=True, unique=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sequence__isnull", True)), fields=["id"], name="guard_entry_waiting"
                    )
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, "; ".join(UNDO)),
    ]
