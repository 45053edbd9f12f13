"""What is held or under review is read by whom the hold or flag names, while it stands; each opening is recorded."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from privacy import flagging, holds, reading
from privacy.models import Event, Reader, Reading
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, max_, stella
from tests.scenes import answered, decided
from tests.test_flags import flagged

pytestmark = pytest.mark.django_db
WORDS = "The lighthouse keeper's secret"


def reader() -> User:
    """Bob, of the staff, who may be named."""
    person = bob()
    if not person.is_staff:
        person.is_staff = True
        person.save()
        for codename in ("read_held", "view_flag", "view_hold"):
            person.user_permissions.add(Permission.objects.get(codename=codename))
    return User.objects.get(pk=person.pk)


@pytest.fixture
def chat() -> Conversation:
    decided(alice(), Training.DENY)
    return answered(alice(), WORDS, "Whose?").conversation


def addresses(of: Any, chat: Conversation) -> tuple[str, str]:
    whole = f"/admin/privacy/{of._meta.model_name}/{of.pk}/read/"
    return whole, f"{whole}{chat.public_id}/"


@pytest.mark.parametrize("sort", ["flag", "hold on a person", "hold on a conversation"])
def test_who_is_named_opens_it_also_where_it_is_hidden_and_leaves_evidence(client, chat, sort):
    if sort == "flag":
        of: Any = flagged(chat, readers=[reader()])
    else:
        of = holds.place(alice() if "person" in sort else chat, "Claim", by=stella(), readers=[reader()])
    conversations.delete(alice(), conversation=chat.public_id)
    client.force_login(reader())
    whole, one = addresses(of, chat)
    assert str(chat.public_id) in client.get(whole).content.decode()
    asked = client.get(one).content.decode()
    assert WORDS.replace("'", "&#x27;") not in asked and not Reading.objects.exists()  # it asks first
    opened = client.post(one).content.decode()
    assert WORDS.replace("'", "&#x27;") in opened and "Whose?" in opened
    event = Event.objects.get(act=Act.READ_HELD)
    assert event.detail["key"] == str(chat.public_id) and event.actor and "lighthouse" not in str(vars(event))
    row = Reading.objects.get()
    assert (row.reader, row.key, row.event) == (reader(), chat.public_id, event.key)
    client.force_login(stella())
    assert str(chat.public_id) in client.get("/admin/privacy/reading/").content.decode()


def test_for_everybody_else_there_is_no_such_page(client, chat):
    flag = flagged(chat, readers=[reader()])
    for person in (stella(), alice(), max_()):  # a superuser, its author, anybody
        client.force_login(person)
        for address in addresses(flag, chat):
            assert client.get(address).status_code in (302, 404), (person, address)
            assert client.post(address).status_code in (302, 404, 405), (person, address)
    assert not Reading.objects.exists()


def test_not_after_the_end_nor_without_the_permission_nor_one_of_ones_own(client, chat):
    flag = flagged(chat, readers=[reader()])
    whole, one = addresses(flag, chat)
    client.force_login(reader())
    assert client.get(whole).status_code == 200
    reader().user_permissions.remove(Permission.objects.get(codename="read_held"))
    assert client.post(one).status_code == 404
    reader().user_permissions.add(Permission.objects.get(codename="read_held"))
    assert client.get(one).status_code == 200
    flagging.unflag(flag, reason="Nothing in it", by=stella())
    assert client.get(whole).status_code == 404 and client.post(one).status_code == 404
    decided(bob(), Training.DENY)
    own = answered(bob()).conversation
    of_own = flagged(own, readers=[reader()])
    assert client.post(addresses(of_own, own)[1]).status_code == 404
    other = answered(alice(), "Nothing of the kind").conversation
    assert client.post(addresses(of_own, other)[1]).status_code == 404
    assert not Reading.objects.exists()


def test_readers_are_changed_for_a_reason(client, chat):
    flag = flagged(chat)
    assert not reading.may_read(flag, reader())
    client.force_login(stella())
    address = f"/admin/privacy/flag/{flag.pk}/readers/"
    assert client.post(address, {"readers": [reader().pk], "reason": ""}).status_code == 422
    assert client.post(address, {"readers": [alice().pk], "reason": "Second look"}).status_code == 422
    assert client.post(address, {"readers": [reader().pk], "reason": "Second look"}).status_code == 302
    assert reading.may_read(flag, reader())
    client.post(address, {"readers": [], "reason": "Done"})
    assert not reading.may_read(flag, reader()) and not Reader.objects.exists()
    named = list(Event.objects.filter(act=Act.READERS_NAMED).order_by("pk"))
    assert [len(event.detail["readers"]) for event in named] == [1, 0]


def test_its_author_sees_that_it_was_opened(client, chat):
    client.force_login(alice())
    assert "Has staff read it?" not in client.get(f"/chat/{chat.public_id}/why").content.decode()
    flag = flagged(chat, readers=[reader()])
    assert (
        "So far no member of staff has opened it." in client.get(f"/privacy/reviews/{flag.public_id}/").content.decode()
    )
    reading.open_(flag, chat.public_id, by=reader())
    page = client.get(f"/chat/{chat.public_id}/why").content.decode()
    assert "Has staff read it?" in page and "has opened it 1 time" in page


def test_a_hold_that_names_nobody_shows_nothing_to_anybody(client, chat):
    hold = holds.place(chat, "Claim", by=stella())
    for person in (stella(), reader()):
        client.force_login(person)
        assert client.get(addresses(hold, chat)[0]).status_code == 404


def test_what_is_written_is_shown_as_it_was_written(client, chat):
    chat.messages.filter(role="user").update(text="<script>alert(1)</script> & **bold**")
    flag = flagged(chat, readers=[reader()])
    client.force_login(reader())
    page = client.post(addresses(flag, chat)[1]).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; **bold**" in page and "<script>alert" not in page
