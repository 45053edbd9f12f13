"""The page of the file of one's data, its addresses, and what becomes of the file in the end."""

from functools import partial
from html import unescape

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.errors import NotFound
from accounts.models import User
from privacy import erasure, leaving, letters, outbox, tasks
from privacy.errors import ConsentRequired
from privacy.exporting import archive as archives
from privacy.exporting import asking, files, making, serving
from privacy.models import Export
from privacy.vocabulary import Training
from tests.answering import apart
from tests.exporting import EXPORT, read
from tests.leaving import settled
from tests.people import alice, bob, stella
from tests.scenes import answered, asked, decided, published
from tests.threads import at_once
from tests.zips import contents, finish, made, path_of


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.EXPORTS_DIR = str(tmp_path / "exports")


def page_of(client: Client) -> str:
    return unescape(client.get(reverse(EXPORT)).content.decode())


def file_of(export: Export) -> str:
    return reverse("privacy:export_file", args=[export.public_id])


def body(answer) -> bytes:
    return async_to_sync(read)(answer)


def progress(client: Client) -> dict[str, object]:
    return dict(client.get(reverse("privacy:export_progress")).json())


@pytest.mark.django_db
class TestPage:
    def test_says_how_it_stands_from_none_to_over(self, client, move_clock):
        decided(alice(), Training.DENY)
        answered(alice())
        client.force_login(alice())
        assert "Make the file" in page_of(client) and progress(client)["state"] == "none"
        assert client.post(reverse(EXPORT))["location"] == reverse(EXPORT)
        assert "<progress" in page_of(client) and "waits for its turn" in page_of(client)
        export = Export.objects.get()
        making.work(export.pk, within=0)
        assert progress(client) == {"state": "making", "done": 1, "total": 6}
        assert 'max="6" value="1"' in page_of(client) and "1 of 6 steps" in page_of(client)
        finish(export)
        page = page_of(client)
        assert "It is ready" in page and file_of(export) in page and export.sha256 in page and "<progress" not in page
        assert progress(client)["state"] == "ready"
        move_clock(days=8)
        page = page_of(client)
        assert "is removed" in page and file_of(export) not in page and "Make a new file" in page
        assert progress(client)["state"] == "expired"

    def test_whose_file_went_with_the_disk_is_told_so(self, client):
        export = made(alice())
        path_of(export).unlink()
        client.force_login(alice())
        assert "is removed" in page_of(client) and client.get(file_of(export)).status_code == 404

    def test_asking_twice_is_asking_once(self, client):
        client.force_login(alice())
        client.post(reverse(EXPORT))
        (export,) = Export.objects.all()
        client.post(reverse(EXPORT))
        assert Export.objects.get() == export
        finish(export)
        assert client.post(reverse(EXPORT)).status_code == 302 and Export.objects.get().pk != export.pk

    def test_not_more_than_a_few_times_within_an_hour(self, client):
        client.force_login(alice())
        assert [client.post(reverse(EXPORT)).status_code for _ in range(7)] == [302] * 6 + [429]
        client.force_login(bob())
        assert client.post(reverse(EXPORT)).status_code == 302

    def test_somebody_whom_the_gate_stops_can_ask_and_fetch(self, client, move_clock):
        decided(alice(), Training.DENY, keep_history=True)
        answered(alice(), "Before the deadline")
        published()
        move_clock(days=31)
        client.force_login(alice())
        with pytest.raises(ConsentRequired):
            asked(alice())
        assert client.post(reverse(EXPORT)).status_code == 302
        export = Export.objects.get()
        finish(export)
        assert progress(client)["state"] == "ready" and "It is ready" in page_of(client)
        assert client.get(file_of(export)).status_code == 200
        assert "Before the deadline" in "".join(contents(export).values())

    def test_strangers_are_sent_to_sign_in(self, client):
        export = made(alice())
        for address in (reverse(EXPORT), reverse("privacy:export_progress"), file_of(export)):
            assert client.get(address)["location"].startswith("/account/login/")


@pytest.mark.django_db
@pytest.mark.usefixtures("socket_sees_rows")
class TestDownload:
    def test_is_the_file_under_a_name_with_its_day_and_kept_by_no_cache(self, client):
        export = made(alice())
        client.force_login(alice())
        answer = client.get(file_of(export))
        assert (answer.status_code, answer["content-type"]) == (200, "application/zip")
        day = f"{export.asked_at:%Y-%m-%d}"
        assert answer["content-disposition"] == f'attachment; filename="parley-export-{day}.zip"'
        assert "no-store" in answer["cache-control"] and answer["content-length"] == str(export.bytes)
        assert body(answer) == path_of(export).read_bytes()
        export.refresh_from_db()
        assert export.fetched_at

    @pytest.mark.parametrize("other", [bob, stella])
    def test_nobody_else_gets_it(self, client, other):
        export = made(alice())
        User.objects.filter(pk=stella().pk).update(is_superuser=True)
        client.force_login(other())
        assert client.get(file_of(export)).status_code == 404
        client.force_login(alice())
        assert client.get(file_of(export)).status_code == 200

    def test_none_that_is_being_made_nor_one_that_is_over(self, client, move_clock):
        client.force_login(alice())
        export = asking.ask(alice())
        making.work(export.pk, within=0)
        assert client.get(file_of(export)).status_code == 404
        finish(export)
        move_clock(days=6.9)
        assert client.get(file_of(export)).status_code == 200
        move_clock(days=7.1)
        assert client.get(file_of(export)).status_code == 404 and path_of(export).exists()

    def test_goes_on_where_it_broke_off(self, client, monkeypatch):
        monkeypatch.setattr(serving, "PIECE", 100)
        export = made(alice())
        whole, size = path_of(export).read_bytes(), export.bytes
        client.force_login(alice())

        def part(span: str, **more: str):
            return client.get(file_of(export), headers={"range": span, **more})

        for span, wanted in (("bytes=300-", whole[300:]), ("bytes=0-99", whole[:100]), ("bytes=-250", whole[-250:])):
            answer = part(span)
            assert answer.status_code == 206 and body(answer) == wanted
            assert answer["content-length"] == str(len(wanted))
        assert part("bytes=300-")["content-range"] == f"bytes 300-{size - 1}/{size}"
        assert part(f"bytes={size}-").status_code == 416
        for span in ("bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-"):
            assert part(span).status_code == 200
        tag = f'"{export.sha256}"'
        assert part("bytes=300-", **{"if-range": tag}).status_code == 206
        assert part("bytes=300-", **{"if-range": '"another"'}).status_code == 200

    def test_asking_about_it_reads_nothing(self, client, monkeypatch):
        export = made(alice())
        client.force_login(alice())
        monkeypatch.setattr(serving, "read", None)
        answer = client.head(file_of(export))
        assert answer.status_code == 200 and answer["content-length"] == str(export.bytes)


@pytest.mark.django_db
class TestEnd:
    def test_the_clock_removes_it(self, move_clock):
        export = made(alice())
        tasks.look_after_exports()
        assert path_of(export).exists()
        move_clock(days=8)
        tasks.look_after_exports()
        export.refresh_from_db()
        assert export.state == Export.State.EXPIRED and list(files.all_keys()) == []
        move_clock(days=40)
        tasks.look_after_exports()
        assert not Export.objects.exists()

    def test_a_file_that_no_row_names_goes(self):
        kept, gone = made(alice()), made(bob())
        Export.objects.filter(pk=gone.pk).delete()
        tasks.look_after_exports()
        assert list(files.all_keys()) == [str(kept.public_id)]

    def test_who_had_to_wait_gets_an_e_mail(self, move_clock):
        quick = made(bob())
        export = asking.ask(alice())
        move_clock(minutes=5)
        finish(export)
        assert quick.state == "ready" and letters.send() == 1
        (sent,) = mail.outbox
        assert sent.to == [alice().email] and "ready" in sent.subject
        assert reverse(EXPORT) in sent.body and str(export.public_id) not in sent.body and "7 days" in sent.body


class TestLeaving:
    def test_a_file_goes_at_once_also_of_whom_may_come_back(self, committed):
        decided(alice(), Training.DENY)
        person = alice()
        answered(person)
        path = path_of(made(person))
        assert path.exists()
        leaving.leave(user=person, days=7)
        assert not path.exists() and list(files.all_keys()) == [] and not Export.objects.exists()

    def test_one_that_is_being_made_ends(self, committed, monkeypatch):
        decided(alice(), Training.DENY)
        person, add, left = alice(), archives.Archive.add, []
        for _ in range(5):
            answered(person)
        monkeypatch.setattr(making, "WORD", 0)

        def added(archive, name, pieces, *, about=""):
            if archive.mark.members == 4 and not left:
                left.append(apart(partial(leaving.leave, user=person)).result(20))
            elif left:
                left.append(name)
            add(archive, name, pieces, about=about)

        monkeypatch.setattr(archives.Archive, "add", added)
        export = asking.ask(person)
        making.work(export.pk)
        assert len(left) == 1, "it went on, although its person had left"
        assert not Export.objects.exists() and list(files.all_keys()) == []
        assert not making.work(export.pk)
        assert erasure.erase(person.pk)

    def test_at_its_very_end_it_is_one_or_the_other(self, committed, monkeypatch):
        """The person leaves while the last transaction of the file is under way: there is neither row nor file."""
        decided(alice(), Training.DENY)
        person, publish, leaves = alice(), files.publish, []

        def published_late(key, attempt):
            leaves.append(apart(partial(leaving.leave, user=person)))
            with pytest.raises(TimeoutError):
                leaves[0].result(0.3)
            publish(key, attempt)

        monkeypatch.setattr(files, "publish", published_late)
        export = asking.ask(person)
        making.work(export.pk)
        leaves[0].result(20)
        assert not Export.objects.exists() and list(files.all_keys()) == []

    def test_where_the_disk_is_away_the_outbox_has_it_forgotten(self, committed, monkeypatch, move_clock):
        move_clock(seconds=0)
        person = alice()
        path = path_of(made(person))

        def away(_):
            raise OSError

        with monkeypatch.context() as patch:
            patch.setattr(files, "forget", away)
            leaving.leave(user=person)
        assert path.exists()
        assert outbox.work_off() == 1 and not path.exists()

    def test_who_is_shut_out_asks_for_none(self, committed):
        person = alice()
        leaving.leave(user=person)
        with pytest.raises(NotFound):
            asking.ask(person)
        assert not Export.objects.exists()

    def test_asking_and_leaving_at_the_same_instant(self, committed):
        for person in (settled(), bob()):
            at_once(lambda person=person: asking.ask(person), lambda person=person: leaving.leave(user=person))
            for export in Export.objects.all():
                making.work(export.pk)
            assert not Export.objects.filter(user=person).exists() and list(files.all_keys()) == []

    def test_two_tabs_at_the_same_instant(self, committed):
        person = alice()
        assert at_once(*[lambda: asking.ask(person)] * 3) == []
        assert Export.objects.count() == 1
