"""Terms: what is published never changes, is public, and is exactly what its hash says."""

import hashlib
import re
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import Error, connection, transaction

from accounts import clock
from accounts.models import Workspace
from accounts.plans import Plan
from privacy import versions
from privacy.comparison import Paragraph, Piece, compare
from privacy.gate import gate_for
from privacy.models import DeadlineMove, Standing, Terms, TermsTranslation
from privacy.policy import Gate
from privacy.vocabulary import TermsState, Training
from tests import database
from tests.people import alice, bob
from tests.scenes import asked, decided, published


def refused(statement: str, *values: Any) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except Error:
        return True
    return False


@pytest.mark.django_db
class TestSeal:
    CHANGES = (
        *("title = 'other'", "body = 'other'", "summary = 'other'", "audience = '{free}'", "deadline = now()"),
        *("needs_answer = false", "training_years = 9", "digest = 'x'", "published_at = NULL", "effective_at = now()"),
        *("published_at = NULL, digest = '', title = 'other'", "reminder_days = '{1}'", "language = 'de'"),
    )

    @pytest.mark.parametrize("change", CHANGES)
    def test_nothing_of_a_published_version_changes(self, change):
        terms = published()
        assert refused(f"UPDATE privacy_terms SET {change} WHERE id = %s", terms.pk)

    def test_it_does_not_go_either(self):
        terms = published()
        assert refused("DELETE FROM privacy_terms WHERE id = %s", terms.pk)

    def test_a_scheduled_version_is_only_taken_back(self):
        terms = published(published_at=clock.now() + timedelta(days=1))
        assert refused("UPDATE privacy_terms SET title = 'x' WHERE id = %s", terms.pk)
        assert refused("UPDATE privacy_terms SET published_at = NULL WHERE id = %s", terms.pk)
        assert not refused("UPDATE privacy_terms SET published_at = NULL, digest = '' WHERE id = %s", terms.pk)

    def test_a_draft_changes_freely_and_is_not_published_unsealed(self):
        draft = Terms.objects.create(slug="9", title="t", summary="s", body="b")
        assert not refused("UPDATE privacy_terms SET title = 'x' WHERE id = %s", draft.pk)
        assert refused("UPDATE privacy_terms SET published_at = now() WHERE id = %s", draft.pk)

    def test_its_variants_are_sealed_with_it(self):
        draft = Terms.objects.create(slug="9", title="t", summary="s", body="b")
        german = TermsTranslation.objects.create(terms=draft, language="de", title="t", summary="s", body="b")
        versions.seal(draft, clock.now())
        assert refused("UPDATE privacy_termstranslation SET body = 'x' WHERE id = %s", german.pk)
        assert refused("DELETE FROM privacy_termstranslation WHERE id = %s", german.pk)
        columns = "(terms_id, language, title, summary, body)"
        assert refused(f"INSERT INTO privacy_termstranslation {columns} VALUES (%s, 'fr', 't', 's', 'b')", draft.pk)

    def test_moves_are_later_and_stay(self):
        terms = published()
        columns = "INSERT INTO privacy_deadlinemove (terms_id, deadline, reason, moved_at) VALUES (%s, %s, 'r', now())"
        assert refused(columns, terms.pk, terms.deadline)
        assert not refused(columns, terms.pk, terms.deadline + timedelta(days=2))
        assert refused(columns, terms.pk, terms.deadline + timedelta(days=1))
        assert refused("UPDATE privacy_deadlinemove SET reason = 'x'") and refused("DELETE FROM privacy_deadlinemove")


def test_the_owner_of_the_tables_is_refused_too(committed):
    terms = published()
    with database.owner() as owner:
        for statement in (
            f"UPDATE privacy_terms SET body = 'x' WHERE id = {terms.pk}",
            "TRUNCATE privacy_terms CASCADE",
            "TRUNCATE privacy_termstranslation",
            "TRUNCATE privacy_deadlinemove",
        ):
            with pytest.raises(psycopg.Error):
                owner.execute(statement)


@pytest.mark.django_db
class TestStates:
    def test_draft_scheduled_published_superseded(self, move_clock):
        draft = Terms.objects.create(slug="9", title="t", summary="s", body="b")
        assert draft.state(clock.now()) is TermsState.DRAFT
        versions.seal(draft, clock.now() + timedelta(days=2))
        assert draft.state(clock.now()) is TermsState.SCHEDULED
        move_clock(days=2)
        assert draft.state(clock.now()) is TermsState.PUBLISHED
        move_clock(days=3)
        published("10")
        assert draft.state(clock.now()) is TermsState.SUPERSEDED

    def test_a_scheduled_version_is_nobodys_until_its_moment(self, client, move_clock):
        decided(alice())
        published(published_at=clock.now() + timedelta(days=2), deadline=timedelta(days=30))
        assert client.get("/terms/2/").status_code == 404
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN
        move_clock(days=2)
        assert client.get("/terms/2/").status_code == 200
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.ASK


@pytest.mark.django_db
class TestWhomItConcerns:
    def plan(self, plan):
        Workspace.objects.filter(personal_to=alice()).update(plan=plan)

    def test_only_people_on_its_plans(self, move_clock):
        decided(alice(), Training.ALLOW)
        self.plan(Plan.FREE)
        conversation = asked(alice()).conversation
        published(audience=["pro", "max"])
        move_clock(days=31)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN
        assert conversation.__class__.objects.trainable(clock.now()).filter(pk=conversation.pk).exists()
        self.plan(Plan.PRO)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.STOP
        assert not conversation.__class__.objects.trainable(clock.now()).exists()

    def test_new_people_are_asked_from_its_effective_moment(self, move_clock):
        published(effective_at=clock.now() + timedelta(days=5))
        assert gate_for(bob(), bob().personal_workspace).terms == "1"
        move_clock(days=5)
        assert gate_for(bob(), bob().personal_workspace).terms == "2"

    def test_a_correction_asks_nobody(self):
        decided(alice())
        published(needs_answer=False, deadline=None)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN


@pytest.mark.django_db
class TestMovedDeadline:
    def test_somebody_already_stopped_is_let_in_again_until_the_new_one(self, move_clock):
        decided(alice(), Training.ALLOW)
        conversation = asked(alice()).conversation
        terms = published()
        move_clock(days=31)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.STOP
        assert not conversation.__class__.objects.trainable(clock.now()).exists()
        DeadlineMove.objects.create(terms=terms, deadline=clock.now() + timedelta(days=3), reason="Mail was down.")
        answer = gate_for(alice(), alice().personal_workspace)
        assert (answer.gate, answer.deadline) == (Gate.ASK, terms.moves.get().deadline)
        assert conversation.__class__.objects.trainable(clock.now()).exists() and asked(alice())
        assert Standing.objects.in_force(clock.now()).filter(user=alice()).exists()
        move_clock(days=34)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.STOP

    def test_its_reason_is_public_and_outside_the_hash(self, client):
        terms = published()
        before = client.get("/terms/2.json").content
        DeadlineMove.objects.create(terms=terms, deadline=terms.deadline + timedelta(days=3), reason="Mail was down.")
        assert "Mail was down." in client.get("/terms/2/").content.decode()
        assert client.get("/terms/2.json").content == before


@pytest.mark.django_db
class TestPublic:
    def test_the_hash_is_that_of_the_very_document(self, client):
        terms = published(title="Größe")
        told = client.get("/terms/2.json")
        assert hashlib.sha256(told.content).hexdigest() == terms.digest == told.headers["Parley-Terms-SHA256"]
        assert client.get("/terms/current.json").content == told.content

    def test_the_first_version_too(self, client):
        first = Terms.objects.get(slug="1")
        assert hashlib.sha256(client.get("/terms/1.json").content).hexdigest() == first.digest

    def test_every_version_stays_readable_by_everybody(self, client):
        published(title="Newer")
        listed = client.get("/terms/").content.decode()
        assert "Newer" in listed and "Parley&#x27;s terms" in listed
        assert "no longer the newest" in client.get("/terms/1/").content.decode()
        assert "Newer" in client.get("/terms/current/").content.decode()

    def test_the_words_that_changed(self, client):
        first = Terms.objects.get(slug="1")
        published(body=first.body.replace("sends what you write", "sends what you type"), standard_days=60)
        page = client.get("/terms/2/changes/").content.decode()
        assert re.search(r"<del>.*write.*</del>\s*<ins>.*type.*</ins>", page)
        assert "<ins>60 days after the last message</ins>" in page
        assert client.get("/terms/1/changes/").status_code == 404

    def test_drafts_are_nobodys(self, client):
        Terms.objects.create(slug="9", title="t", summary="s", body="b")
        for address in ("/terms/9/", "/terms/9.json", "/terms/9/changes/"):
            assert client.get(address).status_code == 404

    @pytest.mark.parametrize("query", ["?language=xx", "?language=<script>", "?language=" + "e" * 5000])
    def test_an_unknown_language_is_the_original(self, client, query):
        page = client.get(f"/terms/1/{query}")
        assert page.status_code == 200 and b"<script>" not in page.content

    def test_staff_cannot_write_markup_into_it(self, client):
        hostile = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=https://evil.example/x>"
        published(title="<b>t</b>", summary=hostile, body=hostile)
        for address in ("/terms/2/", "/terms/2/changes/", "/terms/"):
            body = client.get(address).content.decode()
            main = body[body.index("<main") : body.index("</main>")]
            assert (
                "<script" not in main and "<b>t" not in main and "<img" not in main and 'href="javascript' not in main
            )


class TestComparison:
    def test_words(self):
        assert compare("We keep it for 30 days.", "We keep it for 60 days, no longer.") == [
            Paragraph([Piece("same", "We keep it for"), Piece("out", "30 days."), Piece("in", "60 days, no longer.")])
        ]

    def test_paragraphs_that_came_and_went(self):
        assert compare("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.")[-1] == Paragraph([Piece("in", "Three.")])
        assert compare("One.\n\nTwo.", "Two.")[0] == Paragraph([Piece("out", "One.")])
        assert compare("", "") == []

    def test_a_paragraph_is_compared_with_what_it_was_wherever_that_stood(self):
        before = "Nobody reads them.\n\nChats are kept for 2 years."
        kinds = [[piece.kind for piece in found.pieces] for found in compare(before, "Chats are kept for 5 years.")]
        assert kinds == [["out"], ["same", "out", "in", "same"]]

    def test_sentences_with_little_in_common_are_not_woven_into_each_other(self):
        found = compare("You can change it at any time.", "Work is not concerned by it.")
        assert [[piece.kind for piece in paragraph.pieces] for paragraph in found] == [["out"], ["in"]]

    def test_headings_are_headings(self):
        found = compare("## Training\n\nNever.", "## Training\nNever.\n\n## New ##\n\nNever # not.")
        assert [(p.heading, p.pieces[0].text) for p in found] == [
            *((True, "Training"), (False, "Never.")),
            *((True, "New"), (False, "Never # not.")),
        ]

    def test_nothing_is_lost_either_way(self):
        before, after = "a b c\n\nd e\n\nf", "a x c\n\nf g\n\nh"
        pieces = [piece for paragraph in compare(before, after) for piece in paragraph.pieces]
        assert " ".join(p.text for p in pieces if p.kind != "in").split() == before.split()
        assert " ".join(p.text for p in pieces if p.kind != "out").split() == after.split()

    def test_long_texts_end(self):
        begun = time.perf_counter()
        compare("word " * 60_000, "other " * 60_000)
        compare("\n\n".join(f"a {n}" for n in range(1500)), "\n\n".join(f"b {n}" for n in range(1500)))
        assert time.perf_counter() - begun < 60  # not a measure of speed: it must not take minutes
