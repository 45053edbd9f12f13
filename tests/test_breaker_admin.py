"""Staff's answer to a stopped sweep: with the numbers before them, for a reason, and only by whom it is for."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from chat.models import Conversation
from privacy import sweep as sweeping
from privacy.models import Event, SweepStop
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, stella
from tests.scenes import answered, decided

pytestmark = pytest.mark.django_db
GO_ON = {"answer": "go_on", "reason": "The terms say so.", "confirmed": "on"}


@pytest.fixture
def page(settings, move_clock) -> str:
    settings.SWEEP_LIMIT_COUNT = 1
    decided(alice(), Training.DENY)
    for _ in range(2):
        answered(alice(), text="Where is my aubergine?")
    move_clock(days=31)
    sweeping.sweep()
    return reverse("admin:privacy_sweepstop_answer", args=[SweepStop.objects.get().pk])


def test_the_page_shows_numbers_and_reasons_and_no_word_of_a_conversation(client, page):
    client.force_login(stella())
    shown = client.get(page).content.decode()
    assert "You did not allow training." in shown and str(Conversation.objects.first().public_id) in shown
    assert "aubergine" not in shown


def test_staff_lets_it_go_on(client, page):
    client.force_login(stella())
    assert client.post(page, GO_ON).status_code == 302
    assert sweeping.sweep().purged == 2
    assert Event.objects.get(act=Act.SWEEP_ANSWERED).detail["reason"] == "The terms say so."


@pytest.mark.parametrize("lacking", ["answer", "reason", "confirmed"])
def test_without_an_answer_a_reason_or_the_confirmation_nothing_happens(client, page, lacking):
    client.force_login(stella())
    assert client.post(page, {name: value for name, value in GO_ON.items() if name != lacking}).status_code == 422
    assert SweepStop.objects.open().exists() and sweeping.sweep() is None


def test_a_second_answer_changes_nothing(client, page):
    client.force_login(stella())
    client.post(page, GO_ON | {"answer": "no"})
    client.post(page, GO_ON)
    assert SweepStop.objects.get().answer == "no" and sweeping.sweep() is None


def test_staff_without_the_permission_may_look_and_not_answer(client, page):
    clerk = bob(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_sweepstop"))
    client.force_login(clerk)
    assert client.get(reverse("admin:privacy_sweepstop_changelist")).status_code == 200
    assert client.get(page).status_code == client.post(page, GO_ON).status_code == 403
    client.force_login(alice())
    assert client.post(page, GO_ON).status_code == 302 and SweepStop.objects.open().exists()  # to the sign-in
