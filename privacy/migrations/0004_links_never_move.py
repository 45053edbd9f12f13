"""The link between a person and their evidence is made once and dropped at erasure: it never moves to somebody else.

And what the database refuses by trigger, it does not grant to begin with, whatever the default privileges say.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION privacy_link_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM privacy_event WHERE subject = NEW.key) THEN
        RAISE EXCEPTION 'there is evidence under this key: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER links_never_move BEFORE UPDATE ON privacy_subject
    FOR EACH ROW EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER links_are_new BEFORE INSERT ON privacy_subject
    FOR EACH ROW EXECUTE FUNCTION privacy_link_is_new();
CREATE TRIGGER links_go_one_by_one BEFORE TRUNCATE ON privacy_subject
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
"""
UNGUARD = """
DROP TRIGGER links_go_one_by_one ON privacy_subject;
DROP TRIGGER links_are_new ON privacy_subject;
DROP TRIGGER links_never_move ON privacy_subject;
DROP FUNCTION privacy_link_is_new();
"""
# The application's role has no name here: whoever was granted anything, the owner apart. Not given back on the way
# back, for nothing needs it.
REVOKE = """
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT class.relname, acl.grantee
        FROM pg_class AS class, aclexplode(class.relacl) AS acl
        WHERE class.oid IN ('privacy_event'::regclass, 'privacy_tombstone'::regclass, 'privacy_subject'::regclass)
            AND acl.grantee <> class.relowner
    LOOP
        EXECUTE format(
            'REVOKE %s ON %I FROM %s',
            CASE held.relname WHEN 'privacy_subject' THEN 'UPDATE, TRUNCATE' ELSE 'UPDATE, DELETE, TRUNCATE' END,
            held.relname,
            CASE held.grantee WHEN 0 THEN 'PUBLIC' ELSE held.grantee::regrole::text END
        );
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_first_terms")]
    operations = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(REVOKE, migrations.RunSQL.noop),
    ]
