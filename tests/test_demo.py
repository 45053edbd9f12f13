"""The people and conversations of `manage.py demo`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User, Workspace
from chat.models import Conversation, Message
from privacy import policy, standings
from privacy.models import Standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _data_dir(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


def demo() -> str:
    said = StringIO()
    call_command("demo", stdout=said)
    return said.getvalue()


def test_the_demonstration_is_made_once_and_says_who_is_there(settings: Any) -> None:
    said = demo()
    for name in ("alice", "bob", "max", "wendy", "will", "charlie", "stella"):
        assert f"{name}@parley.example" in said
    secret = settings.DATA_DIR / "secrets" / "demo_password"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text() in said
    assert User.objects.get(email="bob@parley.example").check_password(secret.read_text())

    made = {model: model.objects.count() for model in (User, Workspace, Conversation, Message)}
    assert demo() == said
    assert {model: model.objects.count() for model in made} == made


def test_what_people_of_the_demonstration_did_since_is_left_alone() -> None:
    demo()
    Conversation.objects.all().delete()
    Standing.objects.update(keep_history=True)
    demo()
    assert not Conversation.objects.exists()
    assert not Standing.objects.filter(keep_history=False).exists()


def test_every_conversation_of_the_demonstration_bears_the_tag_that_the_policy_gives_it() -> None:
    demo()
    classes = set()
    for conversation in Conversation.objects.select_related("workspace", "author"):
        standing = standings.standing_of(conversation.author)
        row = Standing.objects.filter(user=conversation.author).first()
        schedule = standings.schedule_for(conversation.workspace, row)
        assert conversation.tag == policy.verdict(conversation.facts(standing), standing, schedule)
        classes.add(str(conversation.tag_class))
    assert classes == {"training", "kept", "standard", "temporary", "agreement"}
