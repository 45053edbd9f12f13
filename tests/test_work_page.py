"""The page of a Work workspace's agreement: owners sign after a preview, members read, nobody else sees it."""

import re

import pytest

from chat.models import Conversation
from privacy.models import Agreed, Agreement
from privacy.vocabulary import Training
from tests.people import alice, wendy, will, works
from tests.privacy_page import text
from tests.scenes import asked_in, decided
from tests.test_agreement import signed

pytestmark = pytest.mark.django_db


def address() -> str:
    return f"/privacy/work/{works().public_id}/"


@pytest.fixture
def client(client):
    client.force_login(wendy())
    return client


def in_force() -> tuple | None:
    agreed = Agreed.objects.filter(workspace=works()).select_related("agreement").first()
    return (agreed.agreement.retention_days, agreed.agreement.training) if agreed and agreed.agreement else None


def test_training_is_preselected_to_neither_and_must_be_answered(client):
    signed(days=30, training=True)
    page = client.get(address()).content.decode()
    assert not re.search(r'name="training"[^>]*checked', page) and 'value="30"' in page
    refused = client.post(address(), {"retention": "never"})
    assert refused.status_code == 422 and "Please choose one of the two." in text(refused)
    for days in ("", "0", "-1", "36501", "x"):
        assert client.post(address(), {"retention": "days", "days": days, "training": "off"}).status_code == 422


def test_an_owner_signs_after_a_preview_and_members_chats_follow(client):
    decided(will(), Training.DENY)
    old = asked_in(will(), works()).conversation
    said = {"retention": "days", "days": "60", "training": "on"}
    page = client.post(address(), said)
    assert "1 chat of today and all new ones would be kept for 60 days" in text(page)
    assert "1 chat of today never is." in text(page) and in_force() is None
    page = client.post(address(), {**said, "seen": "", "confirmed": "on"}, follow=True)
    assert "signed and in force" in text(page) and in_force() == (60, True)
    assert "Signed by Wendy" in text(page)
    old = Conversation.objects.get(pk=old.pk)
    assert (old.hidden_from - old.last_activity_at).days == 60 and old.tag_reason == "begun_before"


def test_what_another_owner_signed_meanwhile_is_shown_first(client):
    signed(days=10)
    said = {"retention": "never", "training": "off", "seen": "", "confirmed": "on"}
    page = client.post(address(), said, follow=True)
    assert "Another owner has signed meanwhile" in text(page) and in_force() == (10, False)


def test_members_read_it_and_cannot_sign(client):
    signed(days=10)
    client.force_login(will())
    page = client.get(address())
    assert (
        "kept for 10 days" in text(page)
        and "Signed by" in text(page)
        and 'name="training"' not in page.content.decode()
    )
    said = {"retention": "never", "training": "on", "seen": Agreement.objects.get().pk, "confirmed": "on"}
    assert client.post(address(), said).status_code == 404 and in_force() == (10, False)
    assert address() in client.get("/privacy/").content.decode()


def test_strangers_and_personal_workspaces_have_no_such_page(client):
    assert client.get(f"/privacy/work/{wendy().personal_workspace.public_id}/").status_code == 404
    client.force_login(alice())
    assert client.get(address()).status_code == 404 and client.post(address(), {}).status_code == 404
