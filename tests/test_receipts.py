"""Receipts of every kind of choice hold, wherever they are checked, and are given to nobody else."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from privacy import choices, ledger, versions
from privacy.canonical import digest
from privacy.evidence import receipt as receipts
from privacy.evidence import tree, wording
from privacy.models import Event, Subject, Terms, TermsTranslation
from privacy.vocabulary import Act, Source, Training
from tests.leaving import erased
from tests.people import alice, bob, charlie, stella
from tests.receipts import (
    KINDS,
    SCRIPT,
    allowed,
    allowed_in_spite_of_the_signal,
    by_command,
    by_script,
    chosen,
    deferred,
    denied,
    downloaded,
    ended,
    kept,
    kept_keys,
    latest,
    own_secrets,
    replaced_key,
    script,
    withdrawn,
)
from tests.scenes import decided

pytestmark = pytest.mark.django_db


class TestHolding:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_of_each_kind_of_choice_by_both_programs(self, client, tmp_path, kind):
        file = kept(client, kind(client), tmp_path)
        code, said = by_command(file)
        assert (code, said) == by_script(file)
        assert code == 0 and "The receipt holds, if its keys are that ledger's." in said.splitlines()[-1]

    def test_by_the_command_without_database_and_network(self, client, tmp_path):
        """In a process of its own, whose database and broker are where nobody answers."""
        file = kept(client, allowed(client), tmp_path)
        nowhere = {"DATABASE_URL": "postgresql://nobody:no@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
        given = nowhere | {"SECRET_KEY": "nobody's", "PARLEY_DATA_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
        command = [sys.executable, "manage.py", "verify_receipt", str(file)]
        done = subprocess.run(command, cwd=SCRIPT.parent.parent, env=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.strip() == by_script(file)[1], done.stderr

    def test_with_keys_that_were_kept(self, client, tmp_path):
        file, keys_file = kept(client, denied(client), tmp_path), kept_keys(client, tmp_path)
        code, said = by_command(file, keys_file)
        assert (code, said) == by_script(file, keys_file)
        assert code == 0 and "ok  its keys are those that were kept" in said
        assert said.splitlines()[-1].startswith("The receipt holds. At '")
        assert said.endswith("Training models: dpv:ConsentRefused.")

    def test_after_the_signing_key_was_replaced_twice(self, client, settings, tmp_path):
        own_secrets(settings, tmp_path)
        event = withdrawn(client)
        file = kept(client, event, tmp_path)
        old, first_keys = file.read_bytes(), kept_keys(client, tmp_path)
        replaced_key(settings)
        replaced_key(settings)
        new, last_keys = downloaded(client, event), kept_keys(client, tmp_path)
        assert [len(json.loads(one)["parley:evidence"]["keys"]) for one in (old, new)] == [1, 3]
        for receipt in (old, new):
            file.write_bytes(receipt)
            for keys_file in (first_keys, last_keys):
                assert by_command(file, keys_file) == by_script(file, keys_file)
                assert by_command(file, keys_file)[0] == 0

    def test_after_the_person_was_erased(self, client, tmp_path):
        event = allowed(client)
        file = kept(client, event, tmp_path)
        erased(alice())
        assert Event.objects.filter(key=event.key).exists() and not Subject.objects.exists()
        assert by_command(file)[0] == by_script(file)[0] == 0

    def test_while_the_ledger_grows(self, client, tmp_path):
        event = allowed(client)
        before = kept(client, event, tmp_path).read_bytes()
        for person in (bob(), charlie()):
            decided(person, Training.DENY)
        after = kept(client, event, tmp_path)
        paths = [json.loads(one)["parley:evidence"]["events"][-1]["path"] for one in (before, after.read_bytes())]
        assert paths[0] != paths[1] and by_command(after)[0] == 0


class TestSaying:
    """What a receipt says in the vocabulary's words."""

    def record(self, client, event: Event) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(downloaded(client, event))["dpv:hasRecordOfActivity"]
        return found

    def statuses(self, client, event: Event) -> list[str]:
        return [one["dpv:hasConsentStatus"]["@type"] for one in self.record(client, event)["dpv:hasProcess"]]

    def test_what_was_chosen_at_once_in_one_receipt(self, client):
        event = allowed_in_spite_of_the_signal(client)
        terms, training, history = self.record(client, event)["dpv:hasProcess"]
        assert training["dct:title"] == "Training models"
        assert training["dpv:hasStorageCondition"]["dpv:hasDuration"] == "P5Y"
        how = "page; the browser asked not to share data (Sec-GPC)"
        assert training["dpv:hasConsentStatus"]["dpv:hasIndicationMethod"] == f"{how}; confirmed in spite of that"
        assert {one["dpv:hasConsentStatus"]["dpv:hasIndicationMethod"] for one in (terms, history)} == {how}
        other = latest(Act.HISTORY_KEPT)
        assert self.statuses(client, other) == self.statuses(client, event) == ["dpv:ConsentGiven"] * 3

    def test_a_deny_is_never_in_spite_of_the_signal(self, client):
        """Whoever had confirmed an Allow against it once denies, with the signal still on."""
        allowed_in_spite_of_the_signal(client)
        chosen(client, training="deny", despite_gpc="on")
        assert latest(Act.TRAINING_WITHDRAWN).detail["despite_gpc"] is False
        (training,) = self.record(client, latest(Act.TRAINING_WITHDRAWN))["dpv:hasProcess"]
        assert training["dpv:hasConsentStatus"]["dpv:hasIndicationMethod"].endswith("(Sec-GPC)")
        page = client.get(f"/privacy/receipts/{latest(Act.TRAINING_WITHDRAWN).key}/").content.decode()
        assert "asked sites not to share your data" in page and "confirmed" not in page

    def test_putting_off_decides_nothing(self, client):
        assert self.statuses(client, deferred(client)) == ["dpv:ConsentRequestDeferred"]

    def test_what_the_operator_ended_was_not_withdrawn_by_the_person(self, client):
        (training,) = self.record(client, ended(client))["dpv:hasProcess"]
        assert training["dpv:hasConsentStatus"]["@type"] == "dpv:ConsentRevoked"
        assert training["dpv:hasConsentStatus"]["dpv:isIndicatedBy"] == "dpv:DataController"

    def test_the_terms_in_the_language_in_which_they_were_shown(self, client, settings):
        settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
        terms = Terms.objects.create(slug="2", title="New terms", summary="One thing.", body="Text")
        TermsTranslation.objects.create(terms=terms, language="de", title="Neues", summary="Eines.", body="Text")
        versions.seal(terms, terms.created_at)
        reader = alice()
        reader.locale = "de"
        reader.save()
        notice = self.record(client, denied(client))["dpv:hasNotice"]
        assert (notice["dct:title"], notice["dct:language"]) == ("Neues", "de")
        assert notice["schema:url"].endswith("/terms/2/") and notice["dct:identifier"] == terms.digest

    def test_two_acts_of_one_moment_are_two_receipts(self, client, monkeypatch):
        """A coarse clock, or one that was set back, gives two choices the same moment."""
        moment = choices.clock.now()
        monkeypatch.setattr("accounts.clock.now", lambda: moment)
        for training in (Training.ALLOW, Training.DENY, Training.ALLOW):
            decided(alice(), training)
        events = Event.objects.of(alice()).order_by("pk")
        assert [len(receipts.together(event)) for event in events] == [2, 2, 1, 1]
        tree.build()
        assert self.statuses(client, events[1]) == ["dpv:ConsentGiven", "dpv:ConsentGiven"]
        assert self.statuses(client, events[2]) == ["dpv:ConsentWithdrawn"]

    def test_who_answers_for_it(self, client, settings):
        settings.LINK_ORIGIN = "https://chat.example.org"
        given = {"name": "Example Ltd", "contact": "privacy@example.org", "address": "1 Quay, Dublin", "country": "IE"}
        settings.CONTROLLER = given
        publisher = json.loads(downloaded(client, allowed(client)))["dct:publisher"]
        assert publisher["@id"] == publisher["dct:identifier"] == "https://chat.example.org/"
        assert [publisher[name] for name in wording.UNPROVEN] == [*list(given.values())[:3], "loc:IE"]
        settings.CONTROLLER = given | {"contact": "", "address": "", "country": ""}
        assert set(json.loads(downloaded(client, latest(Act.TRAINING_ALLOWED)))["dct:publisher"]) == {
            *("@id", "@type", "dct:identifier", "dpv:hasName")
        }

    def test_addresses_in_it_lead_somewhere(self, client, settings):
        """They are made without Django's urls, by programs that do not know them."""
        record = self.record(client, allowed(client))
        for address in (record["dpv:hasNotice"]["schema:url"], record["dpv:hasRight"]["dpv:isExercisedAt"]):
            assert client.get(address.removeprefix(settings.LINK_ORIGIN)).status_code == 200, address

    def test_every_answer_has_words_in_both_programs(self):
        module = script()
        assert {act.value for act in receipts.CHOICES} == set(wording.ANSWERS) == set(module.ANSWERS)
        assert (wording.ANSWERS, set(wording.UNPROVEN)) == (module.ANSWERS, module.UNPROVEN)
        assert digest(wording.CONTEXT) == module.CONTEXT and SCRIPT.read_text().count("\n") < 150


class TestPage:
    def page(self, client, event: Event) -> str:
        client.force_login(alice())
        found = client.get(f"/privacy/receipts/{event.key}/")
        assert found.status_code == 200
        return str(found.content.decode())

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    def test_it_says_what_was_chosen_and_offers_the_file(self, client, kind):
        event = kind(client)
        tree.build()
        page = self.page(client, event)
        assert page.count("<strong>") == len(receipts.together(event))
        assert f"/privacy/receipts/{event.key}.json" in page and "Sealed" in page and event.terms in page

    def test_while_it_is_being_sealed_it_says_so_and_can_be_looked_at_again(self, client, tmp_path):
        event = allowed(client)
        page = self.page(client, event)
        assert "data-sealing" in page and "Look again" in page and "http-equiv" not in page
        early = client.get(f"/privacy/receipts/{event.key}.json")
        assert "not-sealed" in early.headers["Content-Disposition"]
        file = tmp_path / "early.json"
        file.write_bytes(early.content)
        code, said = by_command(file)
        assert (code, said) == by_script(file) and code == 1
        assert "not so: it is sealed" in said and "get it again" in said
        tree.build()
        assert "data-sealing" not in self.page(client, event)
        assert "not-sealed" not in client.get(f"/privacy/receipts/{event.key}.json").headers["Content-Disposition"]

    @pytest.mark.parametrize("address", ["/privacy/receipts/{}/", "/privacy/receipts/{}.json"])
    def test_nobody_elses(self, client, address):
        event = allowed(client)
        url = address.format(event.key)
        assert client.get(url).status_code == 200
        for other in (bob(), stella()):
            client.force_login(other)
            assert client.get(url).status_code == 404
        client.logout()
        assert client.get(url).status_code == 302

    def test_there_is_none_of_what_nobody_chose(self, client):
        allowed(client)
        shown = latest(Act.NOTICE_SHOWN)
        assert client.get(f"/privacy/receipts/{shown.key}/").status_code == 404

    def test_none_of_an_event_without_terms(self, client):
        """Such as was recorded before it was said which answer ended with it."""
        event = ledger.record(Act.TRAINING_ENDED, subject=alice(), source=Source.OPERATOR)
        client.force_login(alice())
        assert client.get(f"/privacy/receipts/{event.key}/").status_code == 404
