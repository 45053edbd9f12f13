"""The ZIP of a person's data: what is in it, what is not, and that it can be read without Parley."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils.text import slugify

from accounts.models import User
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from config.environment import BASE_DIR
from privacy import holdings
from privacy.evidence import tree
from privacy.exporting import archive as archives
from privacy.exporting import files
from privacy.vocabulary import Training
from tests.leaving import settled
from tests.people import alice, bob, wendy, will, works
from tests.scenes import answered, asked_in, decided, published
from tests.zips import contents, document, made, pages, path_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.EXPORTS_DIR = str(tmp_path / "exports")


def talked(user: User, title: str = "") -> Conversation:
    """Two questions, the second in place of the first."""
    turn = answered(user, "What is a promise?", "One that is kept.")
    assert turn.question
    other = acts.edit(user, message=turn.question.public_id, text="What is a vow?")
    Message.objects.filter(pk=other.answer.pk).update(
        state="complete", text="A *promise* with candles.", html="<p>A <em>promise</em> with candles.</p>"
    )
    if title:
        Conversation.objects.filter(pk=turn.conversation.pk).update(title=title)
    return Conversation.objects.get(pk=turn.conversation.pk)


class Seen(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def links(self) -> list[str]:
        return [str(attributes["href"]) for tag, attributes in self.tags if tag == "a" and "href" in attributes]


class TestContents:
    def test_has_pages_receipts_document_and_a_word_on_itself(self):
        decided(alice(), Training.ALLOW, keep_history=True)
        held = talked(alice(), "Vows & promises")
        names = set(contents(made(alice())))
        day, short = f"{held.begun_at:%Y-%m-%d}", str(held.public_id)[:8]
        page = f"conversations/{day}-vows-promises-{short}"
        assert names > {f"{page}.html", f"{page}.md", "index.html", "README.txt", "parley-export.json"}
        (receipt,) = [name for name in names if name.startswith("receipts/")]
        assert re.fullmatch(r"receipts/parley-receipt-\d{4}-\d\d-\d\d-[0-9a-f]{8}-not-sealed\.json", receipt)

    def test_the_document_is_the_one_that_is_described(self):
        person = settled()
        said = document(made(person))
        assert (said["format"], said["version"], said["account"]["email"]) == ("parley-export", 1, person.email)
        assert said["conversations"][0]["messages"][0]["text"].startswith("Remember")
        assert said["exports"][0]["state"] == "making"

    def test_a_page_has_every_branch_and_says_which_was_shown(self):
        decided(alice(), Training.ALLOW)
        talked(alice())
        export = made(alice())
        (page,), (text,) = pages(export), pages(export, ".md")
        assert "<p>A <em>promise</em> with candles.</p>" in page and "A *promise* with candles." in text
        assert "What is a promise?" in page and "What is a promise?" in text
        assert page.count("Another version, which was not shown.") == text.count("Another version") == 2
        assert "You allowed training" in page and "You allowed training" in text

    def test_the_start_page_leads_to_everything_and_nowhere_else(self):
        decided(alice(display_name="Alice Liddell"), Training.DENY)
        decided(alice(), Training.ALLOW)
        talked(alice(), "First"), talked(alice(), "Second")
        found = contents(made(alice()))
        start = found["index.html"]
        links = {unquote(link) for link in Seen(start).links()}
        assert links == set(found) - {"index.html"} - {name for name in found if name.endswith(".md")}
        for said in ("Alice Liddell", alice().email, "Allowed since", "Accepted the terms", ">First</a>", "Standard"):
            assert said in start, said

    def test_receipts_are_those_of_their_pages_and_can_be_checked_elsewhere(self, client, tmp_path):
        decided(alice(), Training.DENY)
        tree.build()
        found = {name: text for name, text in contents(made(alice())).items() if name.startswith("receipts/")}
        ((name, text),) = found.items()
        client.force_login(alice())
        key = json.loads(text)["dct:identifier"]
        assert client.get(f"/privacy/receipts/{key}.json").content.decode() == text
        file = tmp_path / "receipt.json"
        file.write_text(text)
        command = [sys.executable, "-I", str(BASE_DIR / "docs/verify_receipt.py"), str(file)]
        assert subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode == 0, name

    def test_a_person_without_anything_gets_a_file(self):
        found = contents(made(alice()))
        assert set(found) == {"index.html", "README.txt", "parley-export.json"}
        assert alice().email in found["README.txt"] and alice().email in found["index.html"]

    def test_thirty_conversations_take_as_many_queries_more_as_thirty_pages(self, django_assert_max_num_queries):
        """Per conversation: whether it is still there, its messages, its branch, each of them twice."""
        decided(alice(), Training.DENY)
        for _ in range(30):
            answered(alice())
        with django_assert_max_num_queries(30 * 5 + 80):
            made(alice())

    def test_every_holding_with_tagged_rows_puts_them_on_pages(self):
        for holding, _ in holdings.tagged_holdings():
            assert holding.sheets is not holdings._no_sheets, holding.name

    def test_nobody_else_on_the_machine_reads_it(self):
        path = path_of(made(alice()))
        assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
        assert [one.name for one in path.parent.iterdir()] == [path.name]


class TestNotInIt:
    def test_what_is_hidden_deleted_or_somebody_elses(self, move_clock):
        decided(alice(), Training.DENY)
        decided(bob(), Training.DENY)
        answered(bob(), "Bob's words")
        gone, stays = answered(alice(), "To be deleted"), answered(alice(), "To be seen")
        conversations.delete(alice(), conversation=gone.conversation.public_id)
        said = "".join(contents(made(alice())).values())
        assert "To be seen" in said and "To be deleted" not in said and "Bob's words" not in said
        assert str(gone.conversation.public_id) not in said
        move_clock(days=31)
        assert "To be seen" not in "".join(contents(made(alice())).values())
        assert Conversation.objects.filter(pk=stays.conversation.pk).exists()  # no sweep has come yet

    def test_a_temporary_chat_is_there_while_it_is_seen_and_marked(self, move_clock):
        decided(alice(), Training.DENY)
        turn = answered(alice(), "For the moment")
        Conversation.objects.filter(pk=turn.conversation.pk).update(temporary=True)
        assert "temporary" in contents(made(alice()))["index.html"]

    def test_what_others_asked_in_ones_chat(self):
        decided(alice(), Training.DENY)
        turn = answered(alice(), "Alice asks", "and is answered")
        held, add = turn.conversation, Message.objects.create
        question = add(conversation=held, parent=turn.answer, author=bob(), role="user", text="Bob asks")
        add(conversation=held, parent=question, role="assistant", text="Bob is answered", html="<p>Bob is answered</p>")
        said = "".join(contents(made(alice())).values())
        assert "Alice asks" in said and "Bob" not in said

    def test_what_was_written_at_work_goes_with_the_membership(self):
        asked_in(will(), works(), "Written as a member")
        asked_in(wendy(), works(), "Wendy's words")
        said = "".join(contents(made(will())).values())
        assert "Written as a member" in said and "Wendy's words" not in said
        works().memberships.filter(user=will()).delete()
        assert "Written as a member" not in "".join(contents(made(will())).values())


class TestDeletedMeanwhile:
    def deleting_at(self, monkeypatch, name: str, *keys) -> None:
        """Chats are deleted at the moment at which the member `name` is about to be written."""
        add, left = archives.Archive.add, list(keys)

        def added(archive, member, pieces, *, about=""):
            if member == name:
                while left:
                    conversations.delete(alice(), conversation=left.pop())
            add(archive, member, pieces, about=about)

        monkeypatch.setattr(archives.Archive, "add", added)

    @pytest.mark.parametrize("name", ["parley-export.json", "index.html", "README.txt"])
    def test_its_pages_are_taken_out_again_with_every_word(self, monkeypatch, name):
        decided(alice(), Training.DENY)
        first, second, third = (answered(alice(), f"Canary {number}").conversation for number in range(3))
        self.deleting_at(monkeypatch, name, second.public_id)
        export = made(alice())
        said = "".join(contents(export).values())
        assert "Canary 0" in said and "Canary 2" in said and "Canary 1" not in said
        assert [re.findall(r"Canary \d", page)[0] for page in pages(export)] == ["Canary 0", "Canary 2"]
        assert [row["id"] for row in document(export)["conversations"]] == [str(first.public_id), str(third.public_id)]
        assert (export.done, export.attempt) == (export.total, 1)

    def test_all_of_them(self, monkeypatch):
        decided(alice(), Training.DENY)
        held = [answered(alice(), f"Canary {number}").conversation.public_id for number in range(3)]
        self.deleting_at(monkeypatch, "README.txt", *held)
        assert "Canary" not in "".join(contents(made(alice())).values())

    def test_while_its_page_is_being_written(self, monkeypatch):
        decided(alice(), Training.DENY)
        held = [answered(alice(), f"Canary {number}").conversation for number in range(3)]
        self.deleting_at(monkeypatch, _name(held[1], ".md"), held[1].public_id)
        said = "".join(contents(made(alice())).values())
        assert "Canary 0" in said and "Canary 2" in said and "Canary 1" not in said


def _name(conversation: Conversation, ending: str) -> str:
    slug = slugify(Conversation.objects.get(pk=conversation.pk).title)
    return f"conversations/{conversation.begun_at:%Y-%m-%d}-{slug}-{str(conversation.public_id)[:8]}{ending}"


HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


class TestPages:
    def hostile(self) -> dict[str, str]:
        """Everything that a person writes, full of markup."""
        decided(alice(display_name=HOSTILE), Training.DENY)
        held = talked(alice(), HOSTILE)
        held.messages.filter(role="user").update(text=HOSTILE)
        held.messages.filter(role="assistant").update(text=HOSTILE, html="", model=HOSTILE)
        return contents(made(alice()))

    def test_nothing_runs_and_nothing_is_fetched(self):
        found = self.hostile()
        pages = [text for name, text in found.items() if name.endswith(".html")]
        assert len(pages) == 2 and all(HOSTILE.split(">")[0].replace("<", "&lt;") in page for page in pages)
        for page in pages:
            seen = Seen(page)
            assert {"script", "img", "link", "iframe", "object", "form"} & {tag for tag, _ in seen.tags} == set()
            assert not [name for _, given in seen.tags for name in given if name.startswith("on") or name == "src"]
            assert "default-src 'none'" in page and "url(" not in page and "@import" not in page

    def test_markup_in_a_title_is_no_markup_in_markdown_either(self):
        (text,) = [text for name, text in self.hostile().items() if name.endswith(".md")]
        assert text.startswith(r'# \<script\>alert("x")\</script\>')

    @pytest.mark.parametrize(
        ("title", "slug"),
        [("../../etc/passwd", "etcpasswd"), ("", "chat"), ("…", "chat"), ("Über Ænderungen", "über-ænderungen")],
    )
    def test_a_title_makes_a_harmless_name(self, title, slug):
        decided(alice(), Training.DENY)
        held = talked(alice(), "x")
        Conversation.objects.filter(pk=held.pk).update(title=title)
        (name,) = [name for name in contents(made(alice())) if name.endswith(".md")]
        assert name == f"conversations/{held.begun_at:%Y-%m-%d}-{slug}-{str(held.public_id)[:8]}.md"

    def test_light_and_dark_in_the_page_itself(self):
        decided(alice(), Training.DENY)
        talked(alice())
        (page,) = pages(made(alice()))
        assert "<style>" in page and "light-dark(" in page and "<title>" in page and page.count("<h1>") == 1


def test_terms_that_wait_are_said(move_clock):
    decided(alice(), Training.ALLOW)
    published()
    move_clock(days=31)
    assert "resting until newer terms are answered" in contents(made(alice()))["index.html"]


def test_a_new_file_takes_the_place_of_the_earlier_one(django_capture_on_commit_callbacks):
    first = made(alice())
    with django_capture_on_commit_callbacks(execute=True):
        second = made(alice())
    assert first.public_id != second.public_id
    assert list(files.all_keys()) == [str(second.public_id)]
