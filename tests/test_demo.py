"""The people and conversations of `manage.py demo` where the first terms are this installation's own."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation, Message
from config.demo import story
from config.up.house import House, Options
from config.up.report import Report
from privacy import policy, standings
from privacy.models import Standing, Terms

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

    assert "needs a fresh data folder" in said  # for the story, which tests/test_demo_story.py is about

    made = {model: model.objects.count() for model in (User, Workspace, Conversation, Message)}
    assert demo() == said
    assert {model: model.objects.count() for model in made} == made


def test_an_installations_first_terms_are_parleys_own_and_were_published_when_it_was_made() -> None:
    first = Terms.objects.get(slug="1")
    assert first.published_at and timedelta(0) < clock.now() - first.published_at < timedelta(hours=6)
    assert (first.training_years, first.deletion_hours) == (5, 24) and not story.can_be_told()
    demo()
    assert list(Terms.objects.values_list("slug", flat=True)) == ["1"]


def test_only_up_with_the_demo_begins_with_the_terms_of_its_story(monkeypatch: Any, tmp_path: Any) -> None:
    def given(demo: bool) -> dict[str, str]:
        return House(Options(data=tmp_path, port=8000, demo=demo), Report()).first_terms()

    monkeypatch.delenv("FIRST_TERMS", raising=False)
    assert given(demo=False) == {}
    assert given(demo=True) == {"FIRST_TERMS": str(story.FIRST_TERMS)}
    monkeypatch.setenv("FIRST_TERMS", "/etc/parley/terms.toml")
    assert given(demo=True) == {}  # what the operator says wins


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
