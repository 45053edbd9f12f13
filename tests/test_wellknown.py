"""What the ledger publishes about itself, for everybody."""

import pytest
from django.test import Client

from privacy.evidence import heads, merkle, tree
from tests.ledgers import recorded

WELL_KNOWN = "/.well-known/parley/"


@pytest.mark.django_db
class TestWellKnown:
    def test_anybody_follows_it_from_the_index(self, client):
        for _ in range(2):
            recorded(3)
            tree.build()
        index = client.get(WELL_KNOWN).json()
        listed = client.get(index["keys"]).json()["keys"]
        latest = client.get(index["head"]).json()
        heads.verify_head(latest, heads.verify_keys(listed))
        assert listed[0]["verifier"].startswith("localhost/parley+")
        note = client.get(index["checkpoint"])
        assert note.headers["Content-Type"].startswith("text/plain") and note.content.decode() == latest["note"]
        every = client.get(index["heads"]).json()
        assert [head["size"] for head in every["heads"]] == [3, 6] and every["next"] is None
        proof = client.get(index["consistency"], {"from": 3, "to": 6}).json()
        roots = [bytes.fromhex(head["root"]) for head in every["heads"]]
        assert merkle.verify_consistency(3, 6, *roots, [bytes.fromhex(node) for node in proof["path"]])
        assert client.get(f"{WELL_KNOWN}heads/3.json").json()["root"] == every["heads"][0]["root"]

    def test_caches_may_keep_it_and_no_cookie_is_set(self, client):
        recorded(3)
        tree.build()
        for page in (
            "",
            "head.json",
            "checkpoint",
            "heads.json",
            "keys.json",
            "consistency.json?from=1",
            "heads/3.json",
        ):
            answer = client.get(WELL_KNOWN + page)
            assert answer.status_code == 200 and "public" in answer.headers["Cache-Control"] and not answer.cookies

    def test_pages_of_heads_lead_on(self, client, monkeypatch):
        monkeypatch.setattr("privacy.views.wellknown.PAGE", 2)
        for _ in range(5):
            recorded()
            tree.build()
        address, sizes = f"{WELL_KNOWN}heads.json", []
        while address:
            page = client.get(address).json()
            sizes.append([head["size"] for head in page["heads"]])
            address = page["next"]
        assert sizes == [[1, 2], [3, 4], [5]]

    @pytest.mark.parametrize(
        "query", ["", "from=0", "from=2&to=1", "from=1&to=4", "from=x", "from=-1", "from=1&to=²", f"from={10**30}"]
    )
    def test_what_is_no_size_is_refused(self, client, query):
        recorded(3)
        tree.build()
        assert client.get(f"{WELL_KNOWN}consistency.json?{query}").status_code == 400

    def test_before_the_first_head_there_is_none(self, client):
        for page in ("head.json", "checkpoint", "consistency.json?from=1", "heads/1.json"):
            assert client.get(WELL_KNOWN + page).status_code == 404
        assert client.get(f"{WELL_KNOWN}keys.json").json() == {"keys": []}

    def test_nobody_changes_anything_there(self, client):
        assert Client(enforce_csrf_checks=False).post(f"{WELL_KNOWN}head.json").status_code == 405
