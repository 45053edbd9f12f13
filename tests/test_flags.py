"""A safety review: it trains nothing, stays two years at least, hides nothing, is told, and can be appealed against."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from accounts import clock
from accounts.errors import NotFound
from chat.models import Conversation
from chat.turns import conversations
from privacy import appeals, checking, erasure, flagging, holds, leaving, letters
from privacy import sweep as sweeping
from privacy.models import Appeal, Event, Flag, Letter
from privacy.vocabulary import Act, Training
from tests import many
from tests.exporting import exported
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided, published
from tests.threads import at_once

WHY, TOLD, PLEA = "Report 7: rule 3", "A report says that it shares a stranger's address.", "The address is my own."


def flagged(conversation: Conversation, **more: Any) -> Flag:
    said: dict[str, Any] = {"reason": WHY, "told": TOLD, "by": stella()}
    return flagging.flag(conversation, **said | more)


def now(row: Conversation) -> Conversation:
    return Conversation.objects.get(pk=row.pk)


def soon(moment: Any) -> bool:
    return bool(abs(moment - clock.now()) < timedelta(minutes=1))


@pytest.fixture
def chat(db) -> Conversation:
    decided(alice(), Training.ALLOW)
    return answered(alice()).conversation


class TestFlag:
    def test_from_the_commit_on_it_trains_nothing_and_hides_nothing(self, chat):
        before = now(chat)
        assert Conversation.objects.trainable(clock.now()).filter(pk=chat.pk).exists()
        flagged(chat)
        assert not Conversation.objects.trainable(clock.now()).exists()
        after = now(chat)
        # It would have been five years as long as it trained; without, it is of the standard class, after a notice.
        assert after.tag_reason == "flagged" and after.trains_until is None and before.hidden_from > after.hidden_from
        assert after.hidden_from >= clock.now() + timedelta(days=29, hours=23)
        assert after.purge_after.year == clock.now().year + 2
        asked(alice(), within=now(chat))  # the chat goes on
        assert now(chat).tag_reason == "flagged" and checking.check(slow=True).drifted == 0

    def test_whatever_sort_it_is_of(self, db):
        decided(alice(), Training.ALLOW)
        decided(bob(), Training.DENY, keep_history=True)
        for user, place in ((alice(), None), (bob(), None), (will(), works())):
            many.conversations(user, place)
        holds.place(works(), "Claim", by=stella())
        raised = [flagged(one) for one in Conversation.objects.order_by("pk")]
        for found in (checking.check(), checking.check(slow=True)):
            assert (found.drifted, found.checked) == (0, 48), found.by_column
        assert not Conversation.objects.trainable(clock.now()).exists()
        assert Conversation.objects.filter(purge_after__lt=clock.now() + timedelta(days=729)).count() == 0
        for flag in raised:
            flagging.unflag(flag, reason="Nothing in it", by=stella())
        for found in (checking.check(), checking.check(slow=True)):
            assert (found.drifted, found.checked) == (0, 48), found.by_column

    def test_what_was_deleted_is_kept_for_two_years_out_of_sight_and_then_it_goes_with_all_that_was_said(
        self, chat, move_clock
    ):
        flag = flagged(chat)
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        conversations.delete(alice(), conversation=chat.public_id)
        for days in (2, 40, 729):
            move_clock(days=days)
            sweeping.sweep()
            assert Conversation.objects.exists() and not Conversation.objects.visible(clock.now()).exists()
        move_clock(days=732)
        sweeping.sweep()
        assert not Conversation.objects.exists() and not Flag.objects.exists() and not Appeal.objects.exists()

    def test_the_ledger_knows_of_it_and_holds_no_word(self, chat):
        flag = flagged(chat)
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        acts = [Act.FLAGGED, Act.APPEALED, Act.UNFLAGGED]
        events = list(Event.objects.filter(act__in=acts).order_by("pk"))
        assert [event.act for event in events] == acts
        said = str([vars(event) for event in events])
        assert not any(words in said for words in (WHY, TOLD, PLEA, "Nothing in it", "alice"))

    def test_twice_is_refused_and_so_is_ending_twice(self, chat):
        flag = flagged(chat)
        with pytest.raises(flagging.AlreadyFlagged):
            flagged(chat)
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        with pytest.raises(flagging.AlreadyEnded):
            flagging.unflag(flag, reason="Nothing in it", by=stella())
        flagged(chat)  # a new one

    def test_one_that_is_gone_cannot_be_flagged(self, chat, move_clock):
        conversations.delete(alice(), conversation=chat.public_id)
        move_clock(days=2)
        sweeping.sweep()
        with pytest.raises(NotFound):
            flagged(chat)

    def test_ended_it_is_as_if_it_had_never_been_but_no_end_is_near(self, chat, move_clock):
        flag = flagged(chat)
        move_clock(days=100)
        assert not Conversation.objects.visible(clock.now()).exists()
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        row = now(chat)
        assert row.flagged_at is None and row.tag_reason == "allowed"
        assert row.purge_after >= clock.now() + timedelta(days=29)
        assert checking.check(slow=True).drifted == 0

    def test_whoever_leaves_leaves_it_behind_without_a_name(self, chat, move_clock):
        flag = flagged(chat)
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        person = alice()
        leaving.leave(user=person)
        erasure.erase(person.pk)
        assert Conversation.objects.exists() and Flag.objects.get().person is None
        assert not Appeal.objects.exists() and not Letter.objects.exists()
        move_clock(days=732)
        sweeping.sweep()
        assert not Conversation.objects.exists()


@pytest.mark.usefixtures("committed")
class TestAtTheSameMoment:
    def test_of_two_flags_one_stands(self):
        decided(alice(), Training.ALLOW)
        row, staff = answered(alice()).conversation, stella()
        raised = at_once(*[lambda: flagged(row, by=staff)] * 3)
        assert [type(one) for one in raised] == [flagging.AlreadyFlagged] * 2
        assert Flag.objects.standing().count() == 1

    def test_a_turn_that_begins_meanwhile_never_leaves_it_training(self):
        decided(alice(), Training.ALLOW)
        person, staff = alice(), stella()
        for _ in range(20):
            row = answered(person).conversation
            assert at_once(lambda: asked(person, within=row), lambda: flagged(row, by=staff)) == []  # noqa: B023
            assert now(row).flagged_at and not Conversation.objects.trainable(clock.now()).exists()
            Conversation.objects.all().delete()
            Flag.objects.all().delete()
        assert checking.check().drifted == 0

    def test_a_sweep_meanwhile_takes_it_whole_or_leaves_it_whole(self, move_clock):
        decided(alice(), Training.DENY)
        staff = stella()
        for days in (31, 62, 93):
            row = answered(alice()).conversation
            move_clock(days=days)
            raised = at_once(sweeping.sweep, lambda: flagged(row, by=staff))  # noqa: B023
            assert all(isinstance(one, NotFound) for one in raised)
            assert Conversation.objects.filter(pk=row.pk).exists() == (raised == [])
            assert Flag.objects.filter(key=row.public_id).exists() == (raised == [])


class TestAppeal:
    @pytest.fixture
    def flag(self, chat) -> Flag:
        return flagged(chat)

    def address(self, flag: Flag) -> str:
        return f"/privacy/reviews/{flag.public_id}/"

    def test_its_author_reads_why_and_appeals_on_the_page_that_says_why(self, client, chat, flag):
        client.force_login(alice())
        assert "under safety review since" in client.get(f"/chat/{chat.public_id}/").content.decode()
        page = client.get(f"/chat/{chat.public_id}/why").content.decode()
        assert "A report says that it shares a stranger" in page and self.address(flag) in page and WHY not in page
        assert self.address(flag) in client.get("/privacy/").content.decode()
        page = client.post(self.address(flag), {"text": PLEA}, follow=True).content.decode()
        assert PLEA in page and "It waits for an answer." in page
        page = client.post(self.address(flag), {"text": "Once more"}, follow=True).content.decode()
        assert "You have appealed against this review already." in page and "Once more" not in page
        assert Appeal.objects.get().text == PLEA

    @pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "\x00"])
    def test_what_is_no_appeal_is_refused_and_nothing_is_lost(self, client, flag, text):
        client.force_login(alice())
        response = client.post(self.address(flag), {"text": text})
        assert response.status_code == 422 and not Appeal.objects.exists()
        assert text.strip("\x00 ") in response.content.decode()
        client.post(self.address(flag), {"text": "x" * 1_999 + "\r\n"})
        assert Appeal.objects.exists()

    def test_it_is_nobody_elses(self, client, flag):
        for person in (bob(), stella()):
            client.force_login(person)
            assert client.get(self.address(flag)).status_code == 404
            assert client.post(self.address(flag), {"text": PLEA}).status_code == 404
        assert not Appeal.objects.exists()

    def test_it_stays_open_while_terms_wait(self, client, flag, move_clock):
        published()
        move_clock(days=31)
        client.force_login(alice())
        assert client.get(self.address(flag)).status_code == 200
        client.post(self.address(flag), {"text": PLEA})
        assert Appeal.objects.exists()

    def test_after_the_end_there_is_nothing_to_appeal_against(self, client, flag):
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        client.force_login(alice())
        page = client.post(self.address(flag), {"text": PLEA}, follow=True).content.decode()
        assert "There is nothing left to appeal against." in page and not Appeal.objects.exists()

    def test_staff_answers_and_its_author_reads_the_answer(self, client, flag):
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        client.force_login(stella())
        address = f"/admin/privacy/flag/{flag.pk}/answer/"
        page = client.get(address).content.decode()
        assert PLEA in page and TOLD.replace("'", "&#x27;") in page
        assert client.post(address, {"told": "", "confirmed": "on"}).status_code == 422
        said = {"told": "It is somebody else's after all.", "confirmed": "on"}
        assert client.post(address, said).status_code == 302
        page = client.post(address, said | {"told": "Again"}, follow=True).content.decode()
        assert "This appeal has its answer already." in page
        client.force_login(alice())
        page = client.get(self.address(flag)).content.decode()
        assert "else&#x27;s after all." in page and "the review goes on" in page

    def test_ending_the_review_grants_it(self, flag):
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        assert Appeal.objects.get().answer == Appeal.Answer.GRANTED

    def test_it_is_in_the_persons_file(self, flag):
        appeals.appeal(alice(), review=flag.public_id, text=PLEA)
        file = str(exported(alice())["reviews"])
        assert PLEA in file and "stranger" in file and WHY not in file


class TestLetters:
    def test_each_step_is_told_and_names_no_chat(self, chat, mailoutbox, client):
        flag = flagged(chat)
        appeals.uphold(appeals.appeal(alice(), review=flag.public_id, text=PLEA), told="No.", by=stella())
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        assert letters.send() == 3 and letters.send() == 0
        assert [mail.subject for mail in mailoutbox] == [
            "Parley: one of your chats is under safety review",
            "Parley: your appeal is answered",
            "Parley: the safety review of one of your chats has ended",
        ]
        for mail in mailoutbox:
            assert mail.to == [alice().email]
            for word in (chat.title, TOLD, WHY, PLEA, str(chat.public_id)):
                assert word not in mail.body
        client.force_login(alice())
        link = next(word for word in mailoutbox[0].body.split() if word.startswith("http"))
        assert client.get("/" + link.split("/", 3)[3]).status_code == 200

    def test_what_could_not_be_sent_is_sent_later(self, chat, mailoutbox):
        class Down(BaseEmailBackend):
            def send_messages(self, messages):
                raise OSError("no route to host")

        flagged(chat)
        assert letters.send(through=Down()) == 0 and letters.send(through=get_connection()) == 1
        assert len({mail.extra_headers["Message-ID"] for mail in mailoutbox}) == 1

    def test_where_nobody_is_to_be_told_nobody_is(self, db, mailoutbox):
        row = asked_in(will(), works()).conversation
        Conversation.objects.filter(pk=row.pk).update(author=None)
        flagged(now(row))
        assert letters.send() == 0 and Flag.objects.get().person is None


class TestStaff:
    def test_flags_by_key_with_a_reason_and_words_for_its_author(self, client, chat):
        client.force_login(stella())
        address = "/admin/privacy/flag/place/"
        said = {"key": str(chat.public_id), "reason": WHY, "told": TOLD, "confirmed": "on"}
        for lacking in said:
            assert client.post(address, {**said, lacking: ""}).status_code == 422, lacking
        assert client.post(address, said | {"key": str(alice().public_id)}).status_code == 422
        assert not Flag.objects.exists()
        assert client.post(address, said).status_code == 302
        assert soon(Flag.objects.get().flagged_at)
        assert "under review already" in client.post(address, said, follow=True).content.decode()
        end = f"/admin/privacy/flag/{Flag.objects.get().pk}/end/"
        assert client.post(end, {"reason": "Nothing in it", "confirmed": "on"}).status_code == 302
        assert Flag.objects.get().released_at and now(chat).flagged_at is None

    def test_nobody_without_the_permission(self, client, chat):
        person = wendy()
        person.is_staff = True
        person.save()
        client.force_login(person)
        said = {"key": str(chat.public_id), "reason": WHY, "told": TOLD, "confirmed": "on"}
        assert client.post("/admin/privacy/flag/place/", said).status_code == 403 and not Flag.objects.exists()
