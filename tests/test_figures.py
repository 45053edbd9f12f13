"""Figures: right numbers, and never a group of fewer than ten, not even by subtraction."""

import csv
import io
import random
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import clock
from accounts.models import User
from accounts.plans import Plan
from privacy import ledger
from privacy.choices import choose
from privacy.figures import answers, charts
from privacy.figures.groups import OTHERS, shown
from privacy.figures.nudge import Split, difference
from privacy.models import DeadlineMove, Notice, Reminder, Terms
from privacy.vocabulary import Act, Order, Source, Training
from tests.people import alice, stella
from tests.scenes import decided, published


class TestGroups:
    def test_small_ones_stand_together(self):
        groups = {"AT": {"a": 30}, "DE": {"a": 12}, "CH": {"a": 6}, "LI": {"a": 5}}
        assert shown(groups) == {"AT": {"a": 30}, "DE": {"a": 12}, OTHERS: {"a": 11}}

    def test_a_single_small_one_is_not_found_by_subtraction(self):
        assert shown({"AT": {"a": 30}, "DE": {"a": 12}, "LI": {"a": 1}}) == {"AT": {"a": 30}, OTHERS: {"a": 13}}

    def test_those_without_a_name_stand_among_the_others_however_many(self):
        groups = {"": {"a": 11}, "GB": {"a": 10}, "FR": {"a": 10}, "LI": {"a": 2}}
        assert shown(groups) == {"FR": {"a": 10}, "GB": {"a": 10}, OTHERS: {"a": 13}}
        assert shown({"": {"a": 9}, "GB": {"a": 10}}) == {OTHERS: {"a": 19}}

    def test_too_few_altogether_show_nothing(self):
        assert shown({"AT": {"a": 5}, "DE": {"a": 4}}) == {}
        assert shown({}) == {}

    def test_nothing_below_ten_is_ever_shown_and_nobody_is_lost(self):
        chance = random.Random(7)
        for _ in range(500):
            names = ["", *"1234567"][chance.randrange(2) :][: chance.randrange(8)]
            groups = {name: {"a": chance.choice([0, 1, 3, 9, 10, 11, 40])} for name in names}
            found = shown(groups)
            everybody = sum(counts["a"] for counts in groups.values())
            assert all(counts["a"] >= 10 for counts in found.values())
            assert sum(counts["a"] for counts in found.values()) == (everybody if everybody >= 10 else 0)


class TestNudge:
    def test_chance_and_more_than_chance(self):
        assert difference(Split(52, 48), Split(48, 52)).by_chance
        assert not difference(Split(700, 300), Split(500, 500)).by_chance
        found = difference(Split(700, 300), Split(500, 500))
        assert found.low < found.value < found.high and found.value == pytest.approx(0.2)

    def test_all_of_one_kind_is_no_certainty(self):
        assert difference(Split(3, 0), Split(0, 3)).low < 1


class TestCharts:
    def test_what_is_written_on_them_cannot_be_markup(self):
        drawn = charts.bars("<script>", ["<b>"], [3]) + charts.areas('">', ["<i>"], [("answered", [2])])
        assert not re.search(r"<(script|b|i)>", drawn) and "style=" not in drawn

    @pytest.mark.parametrize("values", [[], [0], [5], [1, 2, 99_999]])
    def test_any_number_of_values(self, values):
        names = [str(value) for value in values]
        for drawn in (charts.bars("t", names, values), charts.areas("t", names, [("answered", values)])):
            assert drawn.endswith("</svg>") and "nan" not in drawn


def crowd(count: int, *, region: str = "AT", plan: str = Plan.FREE, start: int = 0) -> list[User]:
    people = []
    for number in range(start, start + count):
        person = User.objects.create_user(
            f"{region}{plan}{number}@crowd.example", region=region, date_of_birth=alice().date_of_birth
        )
        person.personal_workspace.plan = plan
        person.personal_workspace.save()
        people.append(person)
    return people


@pytest.fixture
def scene(db, move_clock):
    """Thirty people answered the terms of before; of new ones twelve have answered, eleven put them off."""
    people = crowd(20) + crowd(10, region="DE", plan=Plan.PRO)
    for person in people:
        decided(person, Training.DENY)
    terms = published(deadline=timedelta(days=30))
    for number, person in enumerate(people[:24]):
        order = list(Order)[number % 2]
        event = ledger.record(Act.NOTICE_SHOWN, source=Source.DIALOG, subject=person, actor=person, terms=terms)
        Notice.objects.create(
            user=person, terms=terms, source=Source.DIALOG, order=order, language="en", event=event.key
        )
    move_clock(days=2)
    for person in people[12:23]:
        Notice.objects.filter(user=person).update(deferrals=1, deferred_at=clock.now())
        ledger.record(Act.DEFERRED, source=Source.DIALOG, subject=person, actor=person, terms=terms)
    move_clock(days=3)
    for number, person in enumerate(people[:12]):
        answer = Training.ALLOW if number < 4 else Training.DENY
        choose(user=person, terms=terms, training=answer, keep_history=None, source=Source.DIALOG)
    return terms


class TestNumbers:
    def test_where_people_stand(self, scene):
        found = answers.asked(scene)
        assert found.total == {"answered": 12, "deferred": 11, "undecided": 7}
        assert found.groups["plan"] == {
            "free": {"answered": 12, "deferred": 8, "undecided": 0},
            "pro": {"answered": 0, "deferred": 3, "undecided": 7},
        }
        assert set(found.groups["region"]) == {"AT", "DE"}

    def test_over_time(self, scene):
        days = answers.over_time(scene, clock.now(), answers.asked(scene).total)
        assert [(day.answered, day.deferred, day.undecided) for day in days] == [
            *((0, 0, 30), (0, 0, 30)),
            *((0, 11, 19), (12, 11, 7)),
        ]
        pro = answers.over_time(scene, clock.now(), {"deferred": 3, "undecided": 7}, "plan", "pro")
        assert (pro[-1].answered, pro[-1].deferred, pro[-1].undecided) == (0, 3, 7)

    def test_a_chart_ends_a_while_after_the_last_thing_that_happened(self, scene, move_clock):
        move_clock(days=300)
        days = answers.over_time(scene, clock.now(), answers.asked(scene).total)
        assert days[0].day == scene.published_at.date()
        assert days[-1].day == scene.deadline.date() + timedelta(days=14)
        DeadlineMove.objects.create(terms=scene, deadline=scene.deadline + timedelta(days=100), reason="Holidays.")
        later = answers.over_time(Terms.objects.get(pk=scene.pk), clock.now(), answers.asked(scene).total)
        assert later[-1].day == scene.deadline.date() + timedelta(days=114)

    def test_a_long_time_is_drawn_whole_with_fewer_points(self, scene, move_clock):
        move_clock(days=900)
        decided(alice(), Training.DENY)
        days = answers.over_time(scene, clock.now(), answers.asked(scene).total)
        assert len(days) <= answers.LONGEST and (days[-1].day, days[-1].answered) == (clock.now().date(), 13)
        assert days[0].day - scene.published_at.date() < timedelta(days=3)

    def test_time_to_answer(self, scene):
        found = answers.times(scene)
        assert found and sum(found.buckets) == 12
        assert found.quartiles[1] == pytest.approx(timedelta(days=3), abs=timedelta(minutes=5))

    def test_reminders_that_were_followed(self, scene):
        for number, person in enumerate(User.objects.filter(email__contains="crowd", region="AT")):
            Reminder.objects.create(
                user=person,
                terms=scene,
                deadline=scene.deadline,
                days=30,
                message_id=f"<{number}@x>",
                sent_at=clock.now() - timedelta(hours=2),
            )
        assert answers.reminders(scene) == [{"days": 30, "sent": 20, "answered": 12}]


@pytest.mark.django_db
class TestPage:
    def page(self, client, terms, query=""):
        client.force_login(stella())
        return client.get(reverse("admin:privacy_terms_figures", args=[terms.pk]) + query)

    def test_it_shows_the_numbers(self, client, scene):
        shown = self.page(client, scene)
        assert shown.status_code == 200
        assert "answered within 3\xa0days of their" in shown.content.decode()
        assert "<dd>12</dd>" in shown.content.decode() and "<svg" in shown.content.decode()

    def test_groups_of_fewer_than_ten_appear_nowhere(self, client, scene):
        for person in crowd(3, region="LI", plan=Plan.MAX):
            decided(person, Training.DENY)
        for query in ("", "?region=LI", "?plan=max", "?format=csv"):
            body = self.page(client, scene, query).content.decode()
            assert "Liechtenstein" not in body and not re.search(r"\bMax</|,max,|LI,", body)

    def test_the_table_is_the_same(self, client, scene):
        rows = list(csv.reader(io.StringIO(self.page(client, scene, "?format=csv").content.decode())))
        assert ["everybody", "", "12", "11", "7"] in rows and ["plan", "pro", "0", "3", "7"] in rows

    @pytest.mark.parametrize("query", ["?plan=<script>", "?region=%00", "?plan=free&region=AT", "?format=%27"])
    def test_hostile_questions_are_answered_plainly(self, client, scene, query):
        shown = self.page(client, scene, query)
        assert shown.status_code == 200 and b"<script>alert" not in shown.content

    def test_only_staff(self, client, scene):
        client.force_login(alice())
        assert client.get(reverse("admin:privacy_terms_figures", args=[scene.pk])).status_code in {302, 403}

    def test_staff_without_the_right_is_refused(self, client, scene):
        plain = crowd(1, region="FR")[0]
        User.objects.filter(pk=plain.pk).update(is_staff=True)
        client.force_login(plain)
        assert client.get(reverse("admin:privacy_terms_figures", args=[scene.pk])).status_code == 403

    def test_a_version_that_asks_nobody_has_none(self, client, db):
        assert self.page(client, published(needs_answer=False)).status_code == 404
