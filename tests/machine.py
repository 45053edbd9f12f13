"""A house in which anything happens in any order: by the product over its real database, and beside it by the rules of
tests/oracle.py. After every step the two must agree. Hypothesis chooses the steps, and shortens what it finds.

The clock stands still during a step, so that both see the same moment. `a_death` lets the next act die before one of
its statements: then it has happened as a whole, or not at all.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import connection
from django.db.models import Exists
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Membership, User, Workspace
from chat.models import Conversation, Message, SpentTurn, TrainingMember, TrainingSet
from chat.sidebar import sidebar
from chat.training import checking as training
from chat.training import chunks, sealing, snapshot
from chat.turns import conversations as acts
from chat.turns.acts import ask
from privacy import checking, deleting, flagging, holds, keeping, notices, retagging, signing, standings, sweep, tasks
from privacy.choices import choose
from privacy.errors import ConsentRequired
from privacy.evidence.verifying import check_events
from privacy.guard import watch
from privacy.models import Flag, Hold, Retagging, Terms, Tombstone
from privacy.selection import Selection
from privacy.vocabulary import Source, Training
from tests import database, oracle, people, rules
from tests.exporting import exported
from tests.oracle import UNDO, House, Talk
from tests.scenes import published

SET_AHEAD = timedelta(days=365 * 40)  # so that every moment told is past for the clock
BEGUN = datetime(2027, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHO = st.sampled_from(["alice", "bob", "charlie"])
WHICH = st.integers(0, 30)
FIRM = "works"


class Died(BaseException):
    """The process is gone: nothing catches this."""


@contextmanager
def dying(after: int) -> Iterator[None]:
    """The process dies before the statement that follows so many."""
    left = iter(range(after))

    def execute(run: Callable[..., Any], *args: Any) -> Any:
        if next(left, None) is None:
            raise Died
        return run(*args)

    with connection.execute_wrapper(execute):
        yield


class Days(RuleBasedStateMachine):
    """Alice and Bob are grown up and begin with an Allow, Charlie's age is unknown; Wendy and Will are at work, where
    Alice comes and goes.

    `folder` and `move_clock` come from the test, which gives an empty database whose commits are real.
    """

    folder: Path
    settings_: Any

    def __init__(self) -> None:
        super().__init__()
        self.stack, self.now = ExitStack(), BEGUN
        self.settings_.GUARD_LOG = str(self.folder / f"{uuid4()}.jsonl")
        self.settings_.TRAINING_DIR = str(self.folder / "training")
        self.sets: list[tuple[str, dict[str, UUID], set[UUID]]] = []  # manifest, conversation by key, and what it drops
        self.have_waited: set[UUID] = set()
        self.saved: tuple[House, Callable[[], None], int] | None = None
        self.dies_after: int | None = None
        self.trees = self.restores = 0
        self.stack.enter_context(clock.back_at(self.now))

    @initialize()
    def move_in(self) -> None:
        users = [people.alice(), people.bob(), people.charlie(date_of_birth=None), people.wendy(), people.will()]
        self.users = dict(zip(["alice", "bob", "charlie", "wendy", "will"], users, strict=True))
        self.staff, self.works = people.stella(), people.works()
        first = Terms.objects.get(slug="1")
        assert first.published_at
        version = rules.Version("1", first.published_at, None)
        self.house = House(
            people={name: rules.Somebody("free", name != "charlie") for name in self.users},
            firms={FIRM: oracle.Firm({"wendy", "will"})},
            versions=[version],
        )
        for name, user in self.users.items():
            self.house.people[name].plan = user.personal_workspace.plan
        for who in ("alice", "bob", "charlie"):
            self.chooses(who, "allow", False)
            self._writes(who, "", False)
        self._writes("will", FIRM, False)

    def teardown(self) -> None:
        try:
            if hasattr(self, "house") and not self.restores:
                check_events(lambda: None)
        finally:
            self.stack.close()
            database.empty_as_owner()

    # --- What people do ---------------------------------------------------------------

    @rule(who=st.sampled_from(["alice", "alice", "bob", "charlie", "wendy", "will"]), temporary=st.booleans())
    def writes(self, who: str, temporary: bool) -> None:
        firm = FIRM if who in self.house.firms[FIRM].members else ""
        self._writes(who, firm, temporary)

    @rule(who=WHO)
    def writes_at_home(self, who: str) -> None:
        self._writes(who, "", False)

    def _writes(self, who: str, firm: str, temporary: bool) -> None:
        place = self.works if firm else self.users[who].personal_workspace
        said: dict[str, Any] = {"conversation": None, "parent": None, "temporary": temporary, "text": "And then?"}
        self._turn(who, firm, lambda: ask(self._user(who), workspace=place.public_id, **said))
        for key in self._new():
            self.house.write(key, who, firm, self.now, temporary=temporary)

    @rule(which=WHICH)
    def goes_on(self, which: int) -> None:
        if (key := self._one(which)) is None:
            return
        talk = self.house.talks[key]
        place = self.works if talk.firm else self.users[talk.author].personal_workspace
        before = self._row(key).last_activity_at
        self._turn(
            talk.author,
            talk.firm,
            lambda: ask(
                self._user(talk.author), workspace=place.public_id, conversation=key, parent=None, text="And then?"
            ),
        )
        if self._row(key).last_activity_at != before:
            self.house.write(key, talk.author, talk.firm, self.now)

    def _turn(self, who: str, firm: str, begin: Callable[[], object]) -> None:
        SpentTurn.objects.all().delete()
        stopped = not firm and rules.gate(self.house.people[who], self.house.versions, self.now)[0] == "stop"
        try:
            self._do(begin)
        except ConsentRequired:
            assert stopped
        else:
            assert not stopped or self.dies_after is None
        Message.objects.open().update(state=Message.State.COMPLETE, text="One thing after the other.")

    @rule(who=WHO, training=st.sampled_from(["allow", "allow", "deny"]), keeps=st.booleans())
    def chooses(self, who: str, training: str, keeps: bool) -> None:
        person, terms = self.house.people[who], standings.owed_terms(self._user(who))
        if terms is None:
            return
        answer = training if person.adult else None
        said: dict[str, Any] = {"training": Training(answer) if answer else None, "keep_history": keeps}
        self._do(
            lambda: choose(user=self._user(who), terms=terms, source=Source.PAGE, **said),
            lambda: self.house.choose(who, answer, keeps, self.now),
        )

    @rule(who=WHO)
    def defers(self, who: str) -> None:
        user, terms = self._user(who), standings.owed_terms(self._user(who))
        if terms and rules.gate(self.house.people[who], self.house.versions, self.now)[0] == "ask":
            notices.defer(user, notices.shown(user, terms, notices.form_for(user, terms, Source.DIALOG)[0]))

    @rule(who=WHO, plan=st.sampled_from(["free", "pro", "max"]))
    def changes_plan(self, who: str, plan: str) -> None:
        self.house.people[who].plan = plan
        Workspace.objects.filter(personal_to=self.users[who]).update(plan=plan)

    @rule()
    def joins_or_leaves_work(self) -> None:
        members, alice = self.house.firms[FIRM].members, self.users["alice"]
        if "alice" in members:
            Membership.objects.filter(workspace=self.works, user=alice).delete()
        else:
            Membership.objects.create(workspace=self.works, user=alice)
        members ^= {"alice"}

    @rule(which=WHICH, kept=st.booleans())
    def keeps_or_lets_go(self, which: int, kept: bool) -> None:
        if key := self._one(which):
            act, chosen = keeping.keep if kept else keeping.let_go, self._selection(key)
            self._do(lambda: act(chosen), lambda: self.house.keep(key, kept, self.now))

    @rule(which=WHICH)
    def deletes(self, which: int) -> None:
        if key := self._one(which):
            user = self._user(self.house.talks[key].author)
            self._do(lambda: acts.delete(user, conversation=key), lambda: self.house.delete(key, self.now))

    @rule(which=WHICH)
    def deletes_by_the_list(self, which: int) -> None:
        if key := self._one(which):
            chosen = self._selection(key)
            self._do(lambda: deleting.delete(chosen), lambda: self.house.delete(key, self.now))

    @rule(which=WHICH)
    def takes_back(self, which: int) -> None:
        deleted = [key for key, talk in self.house.talks.items() if talk.deleted]
        if not deleted:
            return
        key = deleted[which % len(deleted)]
        talk = self.house.talks[key]
        assert talk.deleted
        here = not talk.firm or talk.author in self.house.firms[talk.firm].members
        may = here and self.now - talk.deleted < UNDO
        try:
            self._do(
                lambda: acts.undelete(self._user(talk.author), conversation=key),
                lambda: self.house.undelete(key, self.now),
            )
        except NotFound:
            assert not may
        else:
            assert may

    @rule(days=st.sampled_from([None, 1, 20, 400]), trains=st.booleans())
    def signs(self, days: int | None, trains: bool) -> None:
        seen = getattr(getattr(Workspace.objects.get(pk=self.works.pk), "agreed", None), "agreement_id", None)
        firm = self.house.firms[FIRM]
        said: dict[str, Any] = {"retention_days": days, "training": trains, "source": Source.SETTINGS, "seen": seen}
        if seen and (firm.days, firm.trains) == (days, trains):
            return
        self._do(
            lambda: signing.sign(owner=self._user("wendy"), workspace=self.works, **said),
            lambda: self.house.sign(FIRM, days, trains, self.now),
        )

    @rule(who=st.sampled_from(["alice", "bob", "charlie", "wendy", "will"]))
    def fetches_their_data(self, who: str) -> None:
        found = {UUID(one["id"]) for one in exported(self._user(who))["conversations"]}
        assert self._seen_by(who) <= found and found - self._seen_by(who) <= self._waiting()

    # --- What staff does --------------------------------------------------------------

    @rule(days=st.sampled_from([None, 3, 20]), standard=st.sampled_from([20, 30, 45]), needs=st.booleans())
    def publishes(self, days: int | None, standard: int, needs: bool) -> None:
        slug, deadline = str(len(self.house.versions) + 1), timedelta(days=days) if days else None
        row = published(slug, deadline=deadline, needs_answer=needs, standard_days=standard)
        version = rules.Version(slug, self.now, row.deadline, needs_answer=needs, standard_days=standard)
        self.house.versions.append(version)

    @rule(what=st.sampled_from(["person", "firm", "talk"]), who=WHO, which=WHICH)
    def holds(self, what: str, who: str, which: int) -> None:
        key = self._any(which)
        if what == "talk" and key is None:
            return
        target: Any = {"person": self._user(who), "firm": self.works, "talk": key and self._row(key)}[what]
        laid = {"person": oracle.Hold(person=who), "firm": oracle.Hold(firm=FIRM), "talk": oracle.Hold(talk=key)}[what]
        self._do(lambda: holds.place(target, "A claim", by=self.staff))
        for pk in Hold.objects.standing().exclude(pk__in=self.house.holds).values_list("pk", flat=True):
            self.house.hold(pk, laid, self.now)

    @rule(which=WHICH)
    def releases(self, which: int) -> None:
        standing = list(Hold.objects.standing().order_by("pk"))
        if standing:
            hold = standing[which % len(standing)]
            self._do(
                lambda: holds.release(hold, "Settled", by=self.staff), lambda: self.house.release(hold.pk, self.now)
            )

    @rule(which=WHICH)
    def flags(self, which: int) -> None:
        key = self._any(which)
        if key and not self.house.talks[key].flagged:
            row = self._row(key)
            self._do(
                lambda: flagging.flag(row, reason="A threat", told="We read it.", by=self.staff),
                lambda: self.house.flag(key, self.now),
            )

    @rule(which=WHICH)
    def unflags(self, which: int) -> None:
        flags = list(Flag.objects.standing().order_by("pk"))
        if flags:
            flag = flags[which % len(flags)]
            self._do(
                lambda: flagging.unflag(flag, reason="Nothing in it", by=self.staff),
                lambda: self.house.unflag(flag.key, self.now),
            )

    @rule()
    def a_set_is_made(self) -> None:
        """Built, sealed and released; it has what may train now, and nothing else."""
        made = snapshot.begin(reason="A test", chunk=3)
        assert chunks.work(made)
        made = sealing.release(sealing.seal(TrainingSet.objects.get(pk=made.pk)))
        members = TrainingMember.objects.filter(training_set=made, outcome="included", conversation__isnull=False)
        keys = dict(members.values_list("key", "conversation__public_id"))
        self._may_train_is(set(keys.values()))
        self.sets.append((made.manifest_hash, {str(key): of for key, of in keys.items()}, set()))

    @rule()
    def backs_up(self) -> None:
        tasks.log_deletions()
        file = self.folder / f"{uuid4()}.sql"
        self.saved = self.house.backup(), self.stack.enter_context(database.backed_up(file)), len(self.sets)

    @precondition(lambda self: self.saved)
    @rule()
    def is_restored(self) -> None:
        assert self.saved
        backup, put_back, sets = self.saved
        tasks.log_deletions()
        put_back()
        with watch.off():
            call_command("replay_erasures", stdout=StringIO())
        connection.close()
        self.restores += 1
        self.house, self.saved = self.house.restored(backup, self.now), None
        self.house.holds = self._holds_as_numbered()
        self.sets, self.have_waited = self.sets[:sets], set(self.house.talks)
        assert checking.check(record=False).drifted == 0
        self._sweeps(without={row.public_id for row in Conversation.objects.all()} - self.house.talks.keys())

    # --- What the house does by itself ------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 23, 26, 24 * 6, 24 * 31, 24 * 400]))
    def time_passes(self, hours: int) -> None:
        self._at(self.now + hours * HOUR)

    @rule(which=WHICH, late=st.booleans())
    def an_end_comes(self, which: int, late: bool) -> None:
        """To the second before, or the moment itself, of an end or a deadline."""
        ends = [self.house.hidden_from(talk) for talk in self.house.talks.values()]
        ends += [self.house.purged_after(talk, self.now) for talk in self.house.talks.values()]
        ends += [version.due for version in self.house.versions]
        ahead = sorted({end for end in ends if end and end > self.now + timedelta(seconds=2)})
        if ahead:
            self._at(ahead[which % len(ahead)] - (timedelta(0) if late else timedelta(seconds=1)))

    @rule(chunks_=st.integers(1, 4))
    def workers_go_on(self, chunks_: int) -> None:
        """A worker does a part of what waits, or all of it."""
        waiting, left = Retagging.objects.open().order_by("pk").first(), iter([False] * chunks_)
        if waiting:
            self._may_die(lambda: retagging.work(waiting.pk, stopping=lambda: next(left, True)))

    @rule()
    def sweeps(self) -> None:
        self._sweeps()

    def _sweeps(self, without: frozenset[UUID] | set[UUID] = frozenset()) -> None:
        """What is due goes; `without` is what had gone before a backup was restored, and goes, too."""
        visible = Conversation.objects.visible(self.now).filter(public_id__in=without)
        assert not visible.exists()
        before = set(Conversation.objects.values_list("public_id", flat=True))
        due = self.house.due(self.now)
        self._may_die(lambda: sweep.sweep(chunk=2))
        gone = before - set(Conversation.objects.values_list("public_id", flat=True))
        assert self._died or without <= gone, "what a backup brought back goes with the next sweep"
        gone -= without
        assert gone <= due, f"purged before their time: {gone - due}"
        assert self._died or due - gone <= self._waiting(), f"due and still there: {due - gone}"
        buried = set(Tombstone.objects.filter(key__in=gone).values_list("key", flat=True))
        assert buried == gone, "each has its tombstone"
        self.house.purge(gone, self.now)

    @rule(after=st.integers(0, 60))
    def the_next_act_dies(self, after: int) -> None:
        self.dies_after = after

    # --- What must hold ---------------------------------------------------------------

    @invariant()
    def all_is_as_the_rules_say(self) -> None:
        if not hasattr(self, "house"):
            return
        tasks.log_deletions()
        assert self._differences() == []
        found = checking.check(record=False)
        assert (found.drifted, found.examples) == (0, [])
        trainable = Conversation.objects.trainable(self.now).values_list("public_id", flat=True)
        self._may_train_is(set(trainable))
        for who in ("alice", "bob", "will"):
            listed = {one.public_id for one in self._sidebar(who)}
            assert listed <= self._seen_by(who) | self._waiting()
        for manifest, members, dropped in self.sets:
            self._drops(manifest, members, dropped)
        self._at(self.now + timedelta(seconds=1))

    @invariant()
    def every_door_says_the_same(self) -> None:
        """Of one chat that somebody wrote: its page, its reasons, to its author and to somebody else."""
        if not hasattr(self, "house") or not self.house.talks:
            return
        key = list(self.house.talks)[self.now.second % len(self.house.talks)]
        talk = self.house.talks[key]
        if key in self._waiting():
            return
        for who in (talk.author, "will" if talk.author != "will" else "bob"):
            client = Client()
            client.force_login(self._user(who))
            sees = who == talk.author and self.house.visible(talk, self.now)
            for page in ("", "why"):
                assert client.get(f"/chat/{key}/{page}").status_code == (200 if sees else 404), (who, page)

    def _differences(self) -> list[str]:
        """Where the stored rows are not what the rules say."""
        rows = {row.public_id: row for row in Conversation.objects.all()}
        waiting, found = self._waiting(), []
        self.have_waited |= waiting
        if rows.keys() != self.house.talks.keys():
            found.append(f"other chats: {rows.keys() ^ self.house.talks.keys()}")
        for key in rows.keys() & self.house.talks.keys():
            row, talk = rows[key], self.house.talks[key]
            facts = {"kept": talk.kept, "deleted_at": talk.deleted, "flagged_at": talk.flagged}
            if key not in waiting:
                facts |= self._tag(talk)
            elif self.house.visible(talk, self.now) and not self._is_visible(key):
                found.append(f"{key} is hidden and waits")
            found += [
                f"{key} {name}: {getattr(row, name)}, not {value}"
                for name, value in facts.items()
                if getattr(row, name) != value
            ]
        return found

    def _tag(self, talk: Talk) -> dict[str, Any]:
        return {
            "held": talk.held,
            "tag_class": self.house.sort(talk),
            "trains_until": self.house.trains_until(talk),
            "hidden_from": self.house.hidden_from(talk),
            "purge_after": self.house.purged_after(talk, self.now),
        }

    def _may_train_is(self, found: set[UUID]) -> None:
        may = {key for key, talk in self.house.talks.items() if self.house.trains(talk, self.now)}
        assert found <= may, f"may not train: {found - may}"
        assert may - found <= self._waiting(), f"may train: {may - found}"

    def _drops(self, manifest: str, members: dict[str, UUID], dropped: set[UUID]) -> None:
        """A run leaves out what may not train, and what once could not, whatever it may again."""
        told = training.check(manifest=manifest, run="A run").drop
        may = {key for key, talk in self.house.talks.items() if self.house.trains(talk, self.now)}
        dropped |= {of for of in members.values() if of not in may}
        said = {members[key] for key in told}
        assert dropped <= said and said - dropped <= self.have_waited

    # --- Doing ------------------------------------------------------------------------

    def _do(self, act: Callable[[], object], told: Callable[[], None] = lambda: None) -> None:
        """One act, by the product and by the rules. If it dies on the way, both have done it, or neither."""
        dies = self.dies_after is not None
        self._may_die(act)
        before = deepcopy(self.house) if dies else self.house
        told()
        if self._died and self._differences():
            self.house = before

    _died = False

    def _may_die(self, act: Callable[[], object]) -> None:
        after, self.dies_after, self._died = self.dies_after, None, False
        if after is None:
            act()
            return
        try:
            with dying(after):
                act()
        except Died:
            self._died = True
            connection.close()

    def _at(self, moment: datetime) -> None:
        self.now = moment
        self.stack.enter_context(clock.back_at(moment))

    def _holds_as_numbered(self) -> dict[int, oracle.Hold]:
        """The holds of the rules under the numbers that the product's have got; there are no others on either side."""
        names = {user.pk: who for who, user in self.users.items()}
        numbered = {
            hold.pk: oracle.Hold(names.get(hold.user_id or 0, ""), FIRM if hold.workspace_id else "", hold.key)
            for hold in Hold.objects.standing()
        }
        by_text = [sorted(map(str, these)) for these in (numbered.values(), self.house.holds.values())]
        assert by_text[0] == by_text[1]
        return numbered

    def _new(self) -> list[UUID]:
        known = Conversation.objects.exclude(public_id__in=self.house.talks)
        return list(known.values_list("public_id", flat=True))

    def _one(self, which: int) -> UUID | None:
        """One of the chats that their authors see."""
        keys = [key for key, talk in self.house.talks.items() if self.house.visible(talk, self.now)]
        return keys[which % len(keys)] if keys else None

    def _any(self, which: int) -> UUID | None:
        return list(self.house.talks)[which % len(self.house.talks)] if self.house.talks else None

    def _row(self, key: UUID) -> Conversation:
        return Conversation.objects.get(public_id=key)

    def _user(self, who: str) -> User:
        return User.objects.select_related("personal_workspace").get(pk=self.users[who].pk)

    def _selection(self, key: UUID) -> Selection:
        return Selection(self._user(self.house.talks[key].author), frozenset([key]))

    def _seen_by(self, who: str) -> set[UUID]:
        talks = self.house.talks.items()
        return {key for key, talk in talks if talk.author == who and self.house.visible(talk, self.now)}

    def _is_visible(self, key: UUID) -> bool:
        return Conversation.objects.visible(self.now).filter(public_id=key).exists()

    def _waiting(self) -> set[UUID]:
        """Chats that a re-tag in pieces has still to reach."""
        rows = Conversation.objects.filter(Exists(Retagging.objects.awaited()))
        return set(rows.values_list("public_id", flat=True))

    def _sidebar(self, who: str) -> list[Any]:
        user = self._user(who)
        return sidebar(user, user.personal_workspace, standings.standing_of(user)).items
