"""Versions of the terms: whom they concern, variants, moved deadlines; and what the database refuses about them."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import accounts.clock
import privacy.models.terms
from privacy.canonical import digest, moment

GUARDS = """
CREATE OR REPLACE FUNCTION privacy_published_terms() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken_back privacy_terms;
BEGIN
    IF OLD.published_at IS NULL THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.published_at > now() THEN
        taken_back := OLD;
        taken_back.published_at := NULL;
        taken_back.digest := '';
        IF NEW IS NOT DISTINCT FROM taken_back THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'published terms never change: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION privacy_text_of_published_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM privacy_terms
        WHERE published_at IS NOT NULL
            AND id IN (CASE TG_OP WHEN 'INSERT' THEN NEW.terms_id ELSE OLD.terms_id END,
                       CASE TG_OP WHEN 'DELETE' THEN OLD.terms_id ELSE NEW.terms_id END)
    ) THEN
        RAISE EXCEPTION 'published terms never change: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION privacy_deadline_moves_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM privacy_terms WHERE id = NEW.terms_id AND deadline >= NEW.deadline
        UNION ALL SELECT FROM privacy_deadlinemove WHERE terms_id = NEW.terms_id AND deadline >= NEW.deadline
    ) THEN
        RAISE EXCEPTION 'a deadline moves to a later moment only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER published_terms_stay BEFORE TRUNCATE ON privacy_terms
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER published_texts_never_change BEFORE INSERT OR UPDATE OR DELETE ON privacy_termstranslation
    FOR EACH ROW EXECUTE FUNCTION privacy_text_of_published_terms();
CREATE TRIGGER published_texts_stay BEFORE TRUNCATE ON privacy_termstranslation
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER deadlines_move_later BEFORE INSERT ON privacy_deadlinemove
    FOR EACH ROW EXECUTE FUNCTION privacy_deadline_moves_later();
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON privacy_deadlinemove
    FOR EACH ROW EXECUTE FUNCTION privacy_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON privacy_deadlinemove
    FOR EACH STATEMENT EXECUTE FUNCTION privacy_append_only();
"""

UNGUARD = """
DROP TRIGGER append_only_table ON privacy_deadlinemove;
DROP TRIGGER append_only_rows ON privacy_deadlinemove;
DROP TRIGGER deadlines_move_later ON privacy_deadlinemove;
DROP TRIGGER published_texts_stay ON privacy_termstranslation;
DROP TRIGGER published_texts_never_change ON privacy_termstranslation;
DROP TRIGGER published_terms_stay ON privacy_terms;
DROP FUNCTION privacy_deadline_moves_later();
DROP FUNCTION privacy_text_of_published_terms();
"""


def seal(apps, schema_editor):
    """Versions published so far get the digest of the form that is published from now on."""
    schema_editor.execute("ALTER TABLE privacy_terms DISABLE TRIGGER USER")
    for terms in apps.get_model("privacy", "Terms").objects.filter(published_at__isnull=False):
        terms.digest = digest(
            {
                "version": terms.slug,
                "texts": [{name: getattr(terms, name) for name in ("language", "title", "summary", "body")}],
                "audience": sorted(terms.audience),
                "needs_answer": terms.needs_answer,
                "effective_at": None,
                "deadline": moment(terms.deadline) if terms.deadline else None,
                "retention": {
                    name: getattr(terms, name)
                    for name in ("training_years", "standard_days", "temporary_hours", "deletion_hours")
                },
            }
        )
        terms.save(update_fields=["digest"])
    schema_editor.execute("ALTER TABLE privacy_terms ENABLE TRIGGER USER")


class Migration(migrations.Migration):
    dependencies = [("privacy", "0004_links_never_move")]
    operations = [
        migrations.CreateModel(
            name="DeadlineMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("deadline", models.DateTimeField()),
                ("reason", models.CharField(max_length=500)),
                ("moved_at", models.DateTimeField(default=accounts.clock.now)),
            ],
            options={
                "ordering": ["moved_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="TermsTranslation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=10)),
                ("title", models.CharField(max_length=200)),
                ("summary", models.TextField()),
                ("body", models.TextField()),
            ],
            options={
                "ordering": ["language"],
            },
        ),
        migrations.AddField(
            model_name="terms",
            name="audience",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=[("free", "Free"), ("pro", "Pro"), ("max", "Max")], max_length=8),
                default=privacy.models.terms.every_personal_plan,
                help_text="The personal plans whose people these terms concern.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="digest",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="terms",
            name="effective_at",
            field=models.DateTimeField(
                blank=True, help_text="From when on new people are asked; left empty, from publication on.", null=True
            ),
        ),
        migrations.AddField(
            model_name="terms",
            name="language",
            field=models.CharField(default="en", help_text="The language of the text below.", max_length=10),
        ),
        migrations.AddField(
            model_name="terms",
            name="reminder_days",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MaxValueValidator(365)]),
                blank=True,
                default=privacy.models.terms.usual_reminder_days,
                help_text="How many days before the deadline undecided people are reminded; 0 is the day itself.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="terms",
            name="published_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="terms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at__isnull", True), models.Q(("digest", ""), _negated=True), _connector="OR"
                ),
                name="published_terms_are_sealed",
            ),
        ),
        migrations.AddField(
            model_name="deadlinemove",
            name="terms",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="privacy.terms"
            ),
        ),
        migrations.AddField(
            model_name="termstranslation",
            name="terms",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="translations", to="privacy.terms"
            ),
        ),
        migrations.AddConstraint(
            model_name="termstranslation",
            constraint=models.UniqueConstraint(fields=("terms", "language"), name="one_translation_per_language"),
        ),
        migrations.AlterModelOptions(
            name="terms",
            options={
                "ordering": ["-published_at", "-pk"],
                "permissions": [("publish_terms", "Can publish terms, take them back and move their deadlines")],
                "verbose_name": "terms",
                "verbose_name_plural": "terms",
            },
        ),
        migrations.RunSQL(GUARDS, UNGUARD),
    ]
