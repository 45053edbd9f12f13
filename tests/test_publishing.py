"""Publishing: one act with a rehearsal, refused where it would be unfair, recorded, and the staff's own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from accounts import clock
from accounts.models import User
from privacy import announce, publishing
from privacy.gate import gate_for
from privacy.models import Event, Terms, TermsTranslation
from privacy.policy import Gate
from privacy.publishing import NotPossible
from privacy.rehearsal import rehearse
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, stella, will
from tests.scenes import decided, published


def draft(slug: str = "2", days: int | None = 30, **more) -> Terms:
    fields = {"title": "New terms", "summary": "One thing changes.", "body": "Text"}
    return Terms.objects.create(
        slug=slug, **{**fields, "deadline": clock.now() + timedelta(days=days) if days else None, **more}
    )


@pytest.fixture
def told(monkeypatch):
    heard: list[None] = []
    monkeypatch.setattr(announce, "_listeners", [lambda: heard.append(None)])
    return heard


@pytest.mark.django_db
class TestPublish:
    def test_it_is_sealed_recorded_and_told(self, told, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            done = publishing.publish(draft(), by=stella())
        event = Event.objects.get(act=Act.TERMS_PUBLISHED)
        assert event.terms == done.digest and event.subject is None and event.actor == stella().subject.key
        assert told and done.published_at <= clock.now()

    def test_twice_is_once(self):
        terms = draft()
        publishing.publish(terms, by=stella())
        with pytest.raises(NotPossible, match="already"):
            publishing.publish(terms, by=stella())
        assert Event.objects.filter(act=Act.TERMS_PUBLISHED).count() == 1

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ({"days": 13}, "at least 14 days"),
            ({"days": None}, "Give a deadline"),
            ({"summary": "\n".join("abcdef")}, "at most 5 lines"),
            ({"summary": "  "}, "lacks"),
            ({"body": ""}, "lacks"),
            ({"audience": []}, "at least one"),
            ({"audience": ["work"]}, "at least one"),
            ({"needs_answer": False}, "needs no deadline"),
            ({"effective_at": "past"}, "before the publication"),
        ],
    )
    def test_what_would_be_unfair_is_refused_with_what_to_do(self, more, why):
        if more.get("effective_at"):
            more = {"effective_at": clock.now() - timedelta(days=1)}
        with pytest.raises(NotPossible, match=why):
            publishing.publish(draft(**more), by=stella())
        assert not Terms.objects.filter(slug="2", published_at__isnull=False).exists()

    def test_the_notice_is_counted_from_a_scheduled_publication(self):
        terms = draft(days=20)
        with pytest.raises(NotPossible, match="at least 14 days"):
            publishing.publish(terms, by=stella(), at=clock.now() + timedelta(days=10))
        assert publishing.publish(terms, by=stella(), at=clock.now() + timedelta(days=5)).published_at > clock.now()

    def test_a_variant_that_lacks_its_text_is_refused(self):
        terms = draft()
        TermsTranslation.objects.create(terms=terms, language="de", title="Neu", summary="", body="Text")
        with pytest.raises(NotPossible, match="“de”"):
            publishing.publish(terms, by=stella())

    def test_not_before_one_that_is_scheduled(self):
        publishing.publish(draft(), by=stella(), at=clock.now() + timedelta(days=3))
        with pytest.raises(NotPossible, match="Publish after it"):
            publishing.publish(draft("3"), by=stella())

    def test_taking_back(self, move_clock):
        terms = publishing.publish(draft(), by=stella(), at=clock.now() + timedelta(days=3))
        back = publishing.take_back(terms, by=stella())
        assert (back.published_at, back.digest) == (None, "")
        terms = publishing.publish(draft("3"), by=stella())
        with pytest.raises(NotPossible, match="It stays"):
            publishing.take_back(terms, by=stella())

    def test_a_copy_is_a_draft_with_its_variants(self):
        terms = draft(training_years=3)
        TermsTranslation.objects.create(terms=terms, language="de", title="Neu", summary="s", body="b")
        copy = publishing.copy_as_draft(publishing.publish(terms, by=stella()), "4")
        assert (copy.training_years, copy.published_at, copy.deadline) == (3, None, None)
        assert copy.translations.get().title == "Neu"


def test_two_who_publish_at_once_publish_once(committed):
    terms, by, together = draft(), stella(), Barrier(2)

    def act() -> bool:
        together.wait(10)
        try:
            publishing.publish(terms, by=by)
        except NotPossible:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(one.result() for one in [pool.submit(act), pool.submit(act)]) == [False, True]
    assert Event.objects.filter(act=Act.TERMS_PUBLISHED).count() == 1


@pytest.mark.django_db
class TestMove:
    def test_later_with_a_reason_recorded(self, move_clock):
        decided(alice(), Training.DENY)
        terms = published()
        move_clock(days=31)
        assert gate_for(alice(), alice().personal_workspace).gate is Gate.STOP
        to = clock.now() + timedelta(days=4)
        publishing.move_deadline(terms, to, "Mail was down.", by=stella())
        assert gate_for(alice(), alice().personal_workspace).deadline == to
        event = Event.objects.get(act=Act.DEADLINE_MOVED)
        assert event.detail["reason"] == "Mail was down." and event.terms == terms.digest

    @pytest.mark.parametrize(("days", "reason"), [(-1, "r"), (0, "r"), (5, "  ")])
    def test_never_nearer_nor_without_a_reason(self, days, reason):
        terms = published()
        with pytest.raises(NotPossible):
            publishing.move_deadline(terms, terms.deadline + timedelta(days=days), reason, by=stella())
        assert not terms.moves.exists()

    def test_not_of_a_draft(self):
        with pytest.raises(NotPossible):
            publishing.move_deadline(draft(), clock.now() + timedelta(days=90), "r", by=stella())


@pytest.mark.django_db
class TestRehearsal:
    def test_who_would_be_asked_and_locked_out(self):
        for number in range(12):
            person = User.objects.create_user(f"{number}@x.example", region="AT", date_of_birth=alice().date_of_birth)
            decided(person, Training.DENY)
        decided(bob(), Training.ALLOW)
        will()
        found = rehearse(draft(), clock.now())
        assert (found.asked, found.answered, found.silent) == (13, 0, 13)
        assert found.groups["region"] == {"": {"people": 13}}
        assert [(days, count) for days, _, count in found.mails] == [
            *((30, 13), (14, 13), (7, 13), (3, 13), (1, 13), (0, 13)),
        ][1 if len(found.mails) == 5 else 0 :]
        assert rehearse(draft("3", audience=["max"]), clock.now()).asked == 0
        assert rehearse(draft("4", needs_answer=False, days=None), clock.now()).asked == 0


@pytest.mark.django_db
class TestStaff:
    def page(self, name, terms):
        return reverse(f"admin:privacy_terms_{name}", args=[terms.pk])

    def test_preview_rehearsal_and_act(self, client):
        client.force_login(stella())
        terms = draft()
        page = client.get(self.page("publish", terms)).content.decode()
        assert "Rehearsal" in page and "One thing changes." in page
        assert client.post(self.page("publish", terms), {}).status_code == 302
        assert Terms.objects.get(pk=terms.pk).published_at
        assert client.get(reverse("admin:privacy_terms_change", args=[terms.pk])).status_code == 200

    def test_a_refusal_says_why(self, client):
        client.force_login(stella())
        told = client.post(self.page("publish", draft(days=3)), {})
        assert told.status_code == 422 and "at least 14 days" in told.content.decode()

    @pytest.mark.parametrize("at", ["x", "2020-01-01T00:00", "9999-12-31T23:59"])
    def test_wrong_moments_are_errors_of_the_form(self, client, at):
        client.force_login(stella())
        terms = draft()
        told = client.post(self.page("publish", terms), {"at": at})
        assert told.status_code == 422 and Terms.objects.get(pk=terms.pk).published_at is None

    def test_scheduling_taking_back_moving_and_copying(self, client):
        client.force_login(stella())
        terms, day = draft(days=60), clock.now() + timedelta(days=2)
        client.post(self.page("publish", terms), {"at": f"{day:%Y-%m-%dT10:00}"})
        assert "Take back" in client.get(reverse("admin:privacy_terms_change", args=[terms.pk])).content.decode()
        client.post(self.page("take_back", terms))
        assert Terms.objects.get(pk=terms.pk).published_at is None
        client.post(self.page("publish", terms), {})
        later = clock.now() + timedelta(days=90)
        sent = {"to": f"{later:%Y-%m-%dT10:00}", "reason": "Mail was down."}
        assert client.post(self.page("move_deadline", terms), sent).status_code == 302
        assert client.post(self.page("copy", terms), {"slug": "3"}).status_code == 302
        assert client.post(self.page("copy", terms), {"slug": "3"}).status_code == 422
        assert Terms.objects.get(slug="3").published_at is None

    def test_a_published_version_is_read_only_in_the_form(self, client):
        client.force_login(stella())
        page = client.get(reverse("admin:privacy_terms_change", args=[published().pk])).content.decode()
        assert 'name="title"' not in page and "Figures" in page

    def test_drafts_are_written_there(self, client):
        client.force_login(stella())
        assert client.get(reverse("admin:privacy_terms_add")).status_code == 200

    @pytest.mark.parametrize("name", ["publish", "take_back", "move_deadline"])
    def test_only_who_may_publish(self, client, name):
        person = User.objects.create_user("plain@x.example", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__in=["view_terms", "change_terms"]))
        client.force_login(person)
        assert client.post(self.page(name, draft())).status_code == 403
        assert not Terms.objects.filter(slug="2", published_at__isnull=False).exists()
