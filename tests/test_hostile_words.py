"""Where an answer leads on to, and the words it carries along: nowhere but to pages of this site and doors of the chat,
as text and never as markup, and back whole to whoever wrote them.
"""

from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.targets import LONGEST, target
from chat.models import Message
from privacy.models import Terms
from privacy.publishing import move_deadline
from privacy.views.choice import _is_gated
from privacy.vocabulary import Act, Training
from tests.choosing import CHOICE, DEFER, GPC, SETTINGS, UNDO, WORDS, answers, hidden, says, state, token
from tests.people import alice, stella
from tests.scenes import answered, decided, published

ELSEWHERE = [
    *(
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\n//evil.example",
    ),
    *("https:evil.example", "https://evil.example/", "http:///evil.example", "https://testserver@evil.example/"),
    *(
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "JaVaScRiPt:alert(1)",
        "\x01javascript:alert(1)",
    ),
    *(
        "foo",
        "chat:new",
        "account_logout",
        "?x",
        "#y",
        "./x",
        "..",
        "[",
        "//[",
        " /chat/",
        "",
        "\0",
        "//\0/",
        "mailto:a@b",
    ),
    *("/" + "x" * LONGEST, " " * 4000 + "/chat/", "http://testserver.evil.example/", "http://testserver/chat/"),
]
# Paths of this site, however they look: a browser that is sent there stays here.
HERE = [
    "/chat/",
    "/chat/?deleted=x",
    "/terms/#top",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/x\0",
    "/\u202e",
    "/a\r\nSet-Cookie: x",
]


@pytest.mark.parametrize("secure", [False, True])
def test_only_paths_of_this_site_are_targets(secure):
    request = RequestFactory().get("/", secure=secure)
    assert {wanted for wanted in ELSEWHERE if target(request, wanted)} == set()
    assert {wanted for wanted in HERE if not target(request, wanted)} == set()


@pytest.fixture
def client(client: Client) -> Client:
    """Alice's, who allowed under the terms of before; new ones ask her, with thirty days' time."""
    decided(alice(), Training.ALLOW)
    published()
    client.force_login(alice())
    return client


@pytest.fixture
def stopped(client: Client, move_clock) -> Client:
    """Alice's, after the deadline."""
    move_clock(days=31)
    client.force_login(alice())
    return client


@pytest.mark.django_db
class TestOnward:
    SAMPLE = ("//evil.example", "foo", "https:evil.example", "javascript:alert(1)", " " * 4000 + "/chat/", "[")

    @pytest.mark.parametrize("wanted", SAMPLE)
    def test_every_door_leads_to_the_chat_instead(self, client, wanted):
        page = client.get(CHOICE, {"next": wanted})
        assert hidden(page, "next") == "/chat/"
        put_off = client.post(DEFER, {"token": token(page), "next": wanted})
        chosen = client.post(CHOICE, {"token": token(page), "training": "deny", "next": wanted})
        undo = hidden(client.get(SETTINGS), "undo")
        back = client.post(UNDO, {"undo": undo, "next": wanted})
        elsewhere = client.post(
            reverse("accounts:switch"), {"workspace": alice().personal_workspace.public_id, "next": wanted}
        )
        assert [page["location"] for page in (put_off, chosen, back)] == ["/chat/"] * 3
        assert elsewhere["location"] == "/"
        acts = [Act.DEFERRED, Act.TERMS_ACCEPTED, Act.TRAINING_WITHDRAWN, Act.TRAINING_ALLOWED]
        assert answers(alice())[2:] == acts  # and what was asked for is done

    def test_a_header_is_one_line_whatever_is_wanted(self, client):
        sent = {"token": token(client.get(CHOICE)), "training": "deny", "next": "/a\r\nSet-Cookie: x=y"}
        onward = client.post(CHOICE, sent)
        assert onward["location"] == "/a%0D%0ASet-Cookie:%20x=y" and "x" not in client.cookies

    def test_what_is_wanted_there_is_text(self, client):
        wanted = '/"><script>alert(1)</script>'
        assert b"<script>alert" not in client.get(CHOICE, {"next": wanted}).content
        assert b"<script>alert" not in client.post(CHOICE, {"token": "", "training": "deny", "next": wanted}).content


# --- Words -----------------------------------------------------------------------------


def kept(page) -> dict[str, str]:
    names = ("text", "workspace", "conversation", "parent", "request", "door")
    return {f"kept-{name}": hidden(page, f"kept-{name}") for name in names if hidden(page, f"kept-{name}")}


@pytest.mark.django_db
class TestWords:
    def refused(self, stopped, text=WORDS):
        page = stopped.post(reverse("chat:ask"), {"text": text, "request": uuid4()}, headers={"accept": "text/html"})
        assert page.status_code == 403
        return page

    @pytest.mark.parametrize("text", [WORDS, "\u202e\u200b\u2066", "{{ x }}{% y %}", "&amp;lt;", "<!-- -->]]>", "'\"`"])
    def test_they_come_back_as_they_were_and_are_sent_so(self, stopped, text):
        page = self.refused(stopped, text)
        ready = stopped.post(CHOICE, {"token": token(page), "training": "deny", **kept(page)})
        assert "Your words are ready" in ready.content.decode()
        assert "You chose “Don&#x27;t allow”." in ready.content.decode()
        sent = stopped.post(reverse("chat:ask"), {"text": text, "request": hidden(ready, "request")})
        assert sent.status_code == 302 and Message.objects.get(role="user").text == text

    def test_they_survive_every_refusal_on_the_way(self, stopped):
        page = self.refused(stopped)
        words = kept(page)
        assert words["kept-text"] == WORDS and words["kept-door"] == "/chat/ask"
        for sent in ({"training": ""}, {"training": "x"}, {"token": "x"}, {"training": "allow"}):
            page = stopped.post(CHOICE, {"token": token(page), "training": "deny", **words, **sent}, headers=GPC)
            assert page.status_code < 500 and kept(page) == words, sent
        assert answers(alice())[-1] == Act.TRAINING_ALLOWED and len(answers(alice())) == 2  # of before

    def test_they_survive_a_deadline_that_was_moved_while_they_waited(self, stopped, move_clock):
        """The question that is put again offers to put it off: then they are sent under the earlier answer."""
        page = self.refused(stopped)
        terms = Terms.objects.get(slug="2")
        move_deadline(terms, terms.deadline.replace(year=terms.deadline.year + 1), "Mail was down.", by=stella())
        page = stopped.post(CHOICE, {"token": token(page), "training": "", **kept(page)})
        assert "Not now" in page.content.decode()
        ready = stopped.post(DEFER, {"token": token(page), **kept(page)})
        assert "Your words are ready" in ready.content.decode() and "Nothing is decided yet" in ready.content.decode()
        assert WORDS.split(":")[0] in ready.content.decode() and answers(alice())[-1] == Act.DEFERRED

    def test_and_a_deadline_that_passed_meanwhile(self, client, move_clock):
        """What cannot be put off any more is asked, beside the words."""
        sent = {"token": token(client.get(CHOICE)), "kept-text": WORDS, "kept-door": "/chat/ask"}
        move_clock(days=30, hours=1)
        page = client.post(DEFER, sent)
        assert hidden(page, "kept-text") == WORDS and says(page) and answers(alice())[-1] != Act.DEFERRED

    def test_they_are_text_in_every_page(self, stopped):
        markup = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
        smuggled = {f"kept-{markup}": markup, "kept-text": f"</textarea>{markup}", "kept-door": "/chat/ask"}
        for sent in ({"training": ""}, {"training": "allow"}, {"training": "deny"}):
            page = stopped.post(CHOICE, {"token": token(stopped.get(CHOICE)), **smuggled, **sent}, headers=GPC)
            body = page.content.decode()
            assert page.status_code in (200, 422) and "<script>alert" not in body and "<img src=x" not in body
        assert "Your words are ready" in body

    def test_they_reach_no_door_but_those_where_turns_begin(self, client):
        turn = answered(alice())
        doors = [
            *(
                "",
                "/",
                "/chat/",
                "/chat/ask/",
                "chat/ask",
                "/chat/ask?x=1",
                "/chat/ask#x",
                "/chat/ask\n",
                "/chat/ask\0",
            ),
            *("//evil.example/chat/ask", "https://evil.example/chat/ask", "/\\evil.example/chat/ask", "\\chat\\ask"),
            *(
                "/chat/../account/logout/",
                "/account/logout/",
                "/privacy/choice/undo/",
                "/admin/",
                "javascript:alert(1)",
            ),
            *(f"/chat/message/{turn.answer.public_id}/{act}" for act in ("stop", "branch", "x")),
            f"/chat/{turn.conversation.public_id}/delete",
        ]
        assert [door for door in doors if _is_gated(door)] == []
        acts = ("edit", "regenerate", "retry", "continue")
        gated = ["/chat/ask", *(f"/chat/message/{uuid4()}/{act}" for act in acts)]
        assert [door for door in gated if not _is_gated(door)] == []
        for door, training, leads in (("//evil.example/chat/ask", "deny", 302), ("/chat/ask", "allow", 200)):
            sent = {"token": token(client.get(CHOICE)), "training": training, "kept-text": "x", "kept-door": door}
            assert client.post(CHOICE, sent).status_code == leads

    def test_many_and_long_ones_are_carried_too(self, stopped):
        before, long = state(alice()), "é" * 100_000
        page = self.refused(stopped, long)
        page = stopped.post(CHOICE, {"token": "x", "training": "deny", **kept(page)})
        assert hidden(page, "kept-text") == long and state(alice()) == before
        many = {f"kept-{number}": "x" for number in range(900)}
        assert stopped.post(CHOICE, {"token": "x", "training": "deny", **many}).content.count(b'name="kept-') == 900
