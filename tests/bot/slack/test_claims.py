"""What came of a delivery is stored once the store is back, and what another process holds by now is left alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.slack.client import SlackClient
from bot.slack.errors import ContentRefused
from bot.slack.unknown_outcomes import DeliveryTimes
from bot.store import SqlStore
from demo.slack import Fault, SlackServer
from tests.bot.slack.workbench import CHANNEL, FAST, Bench, bench_on, until
from triage.errors import CommitUnknown, NotStored
from triage.model import Incident
from triage.ports.store import Message, MessageKind, Tx

pytestmark = pytest.mark.slow

POST, EDIT, COMPLETE = "chat.postMessage", "chat.update", "files.completeUploadExternal"
LOOKS = ("conversations.history", "conversations.replies")
PATIENT = DeliveryTimes()
"""As the service has it: whoever has to look waits for longer than a test does."""
SOON = 4.0
FRESH, STOOD = 0.2, 0.4
"""For how long a claim is fresh here, a fifth of what the service has, and for how long a process stands still."""
Wish = Callable[[Bench], Awaitable[object]]


class Away:
    """A store that takes nothing, or says nothing of what it took."""

    def __init__(self, store: SqlStore, *, takes: bool = False, reads: bool = True) -> None:
        self.store = store
        self.asked = 0
        self._takes, self._reads = takes, reads

    async def write(self, work: Callable[[Tx], Any], **_: object) -> None:
        """Fail, with the work done or not."""
        self.asked += 1
        if self._takes:
            await self.store.write(work)
            raise CommitUnknown("it did not say")
        raise NotStored("away")

    async def read(self, work: Callable[[Tx], Any]) -> Any:  # noqa: ANN401 - as the work has it
        """Read, unless nothing answers."""
        if not self._reads:
            raise NotStored("away")
        return await self.store.read(work)


@pytest.fixture(autouse=True)
def soon_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a claim old sooner than in the service."""
    monkeypatch.setattr("bot.slack.claims.FRESH_SECONDS", FRESH)


@asynccontextmanager
async def running(
    store: SqlStore, slack: SlackServer, owner: str = "test", times: DeliveryTimes = PATIENT
) -> AsyncIterator[Bench]:
    """Run a sender with the times that the service has."""
    async with (
        bench_on(store, slack, limits=FAST, times=times, owner=owner) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        yield bench
        bench.sender.stop()


async def a_card(bench: Bench) -> None:
    """Ask for a post."""
    await bench.open("another one")


async def an_edit(bench: Bench) -> None:
    """Ask for an edit of the card that is there."""
    incident = await bench.store.read(lambda tx: cast("Incident", tx.incidents.get(1)))
    await bench.change(replace(incident, title="changed"))


async def lines(bench: Bench) -> None:
    """Ask for lines of a thread, which go in one message."""
    incident = await bench.store.read(lambda tx: cast("Incident", tx.incidents.get(1)))
    await bench.line(incident, "one", "two", "three")


async def a_file(bench: Bench) -> None:
    """Ask for a file."""

    def ask(tx: Tx) -> None:
        now, data = datetime.now(UTC), {"name": "day.png", "comment": "the day"}
        document = tx.notes.save_document("digest", data, made_at=now, content=b"x" * 64)
        tx.outbox.want(MessageKind.FILE, str(document), channel="incidents", now=now)

    await bench.store.write(ask)
    bench.bell.ring()


@pytest.mark.parametrize("takes", [False, True], ids=["not stored", "not said"])
@pytest.mark.parametrize(
    ("wish", "method"), [(a_card, POST), (an_edit, EDIT), (lines, POST), (a_file, COMPLETE)]
)
async def test_what_slack_has_taken_is_stored_when_the_store_is_back_and_not_looked_for(
    sqlite_store: SqlStore, slack: SlackServer, wish: Wish, method: str, *, takes: bool
) -> None:
    """The process that made the call knows its answer."""
    async with running(sqlite_store, slack) as bench:
        await bench.open()
        await bench.settled()
        before = len(slack.calls.of(method))
        away = Away(sqlite_store, takes=takes)
        bench.delivery.claims._store = cast("SqlStore", away)
        await wish(bench)
        await until(lambda: len(slack.calls.of(method)) > before and away.asked)
        bench.delivery.claims._store = sqlite_store
        await bench.settled(SOON)
        assert len(slack.calls.of(method)) == before + 1
    assert not [call for method in LOOKS for call in slack.calls.of(method)]
    assert set(slack.deliveries().values()) == {1}


async def test_what_slack_has_refused_is_tried_again_when_the_store_is_back_and_not_looked_for(
    sqlite_store: SqlStore, slack: SlackServer
) -> None:
    """A refusal is an outcome too: nothing of the first attempt can come."""
    async with running(sqlite_store, slack) as bench:
        away = Away(sqlite_store)
        slack.faults.add(Fault.rate_limited(POST, 1))
        bench.delivery.claims._store = cast("SqlStore", away)
        await a_card(bench)
        await until(lambda: away.asked)
        bench.delivery.claims._store = sqlite_store
        await bench.settled(SOON)
    assert not [call for method in LOOKS for call in slack.calls.of(method)]
    assert set(slack.deliveries().values()) == {1}


async def test_what_was_claimed_and_not_begun_is_posted_when_the_store_is_back(
    sqlite_store: SqlStore, slack: SlackServer
) -> None:
    """It could not be composed: nothing of it can stand in Slack."""
    async with running(sqlite_store, slack) as bench:
        bench.delivery._store = cast("SqlStore", Away(sqlite_store, reads=False))
        await bench.open()
        await bench.open("another one")  # of two none is composed with the claim
        await until(lambda: bench.delivery.claims.kept or bench.cards())
        bench.delivery._store = sqlite_store
        await bench.settled(SOON)
    assert not [call for method in LOOKS for call in slack.calls.of(method)]
    assert set(slack.deliveries().values()) == {1}
    assert len(bench.cards()) == 2


async def test_what_was_claimed_without_our_knowing_is_posted_when_the_store_is_back(
    sqlite_store: SqlStore, slack: SlackServer
) -> None:
    """The claim was committed and its answer lost: nothing was begun, and nobody waits for what cannot come."""
    async with bench_on(sqlite_store, slack, times=PATIENT) as bench:
        away = Away(sqlite_store, takes=True)
        bench.sender._store = cast("SqlStore", away)
        await a_card(bench)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bench.sender.run())
            await until(lambda: away.asked)
            bench.sender._store = sqlite_store
            await bench.settled(SOON)
            bench.sender.stop()
    assert not [call for method in LOOKS for call in slack.calls.of(method)]
    assert set(slack.deliveries().values()) == {1}


async def test_an_attempt_of_unknown_outcome_stays_in_doubt_though_a_later_claim_was_not_said(
    store: SqlStore, slack: SlackServer
) -> None:
    """Only what that claim itself marked is taken for not begun."""
    async with bench_on(store, slack, times=PATIENT) as bench:
        await a_card(bench)
        early, late = datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=40)

        def claim(tx: Tx, now: datetime) -> list[Message]:
            return tx.outbox.claim(now, owner="test", lease_seconds=1, limit=5)

        def give_back(tx: Tx, claimed: datetime) -> None:
            tx.outbox.give_back("test", but=(), now=late, error="away", unbegun=[claimed])

        [first] = await store.write(lambda tx: claim(tx, early))
        await store.write(lambda tx: claim(tx, late))
        await store.write(lambda tx: give_back(tx, late))
        kept = await store.read(lambda tx: tx.outbox.get(first.id))
        assert kept is not None
        assert kept.attempted_at == early
        await store.write(lambda tx: claim(tx, late))
        await store.write(lambda tx: give_back(tx, early))
        freed = await store.read(lambda tx: tx.outbox.get(first.id))
    assert freed is not None
    assert freed.attempted_at is None


class Stopped:
    """Stops a process where it looks for something, as SIGSTOP does."""

    def __init__(self, holder: Any, name: str) -> None:  # noqa: ANN401 - any part of it
        self.reached, self.going_on = asyncio.Event(), asyncio.Event()
        self._usual = getattr(holder, name)
        setattr(holder, name, self._stand)

    async def _stand(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        self.reached.set()
        await self.going_on.wait()
        return await self._usual(*arguments, **named)


async def taken_over(store: SqlStore, owner: str) -> None:
    """Give what a process holds to others, as these do where its count stands still."""
    await store.write(lambda tx: tx.outbox.release_of(owner, datetime.now(UTC)))


async def held_by_other(store: SqlStore) -> list[Message]:
    """Claim what is due for another process."""
    held = await store.write(
        lambda tx: tx.outbox.claim(datetime.now(UTC), owner="other", lease_seconds=30, limit=5)
    )
    assert held
    return held


@pytest.mark.parametrize("wish", [a_card, lines, a_file])
async def test_who_stood_still_before_a_post_does_not_post_what_another_has_taken_over(
    store: SqlStore, slack: SlackServer, wish: Wish
) -> None:
    """Not even where the other one's own post is still under way."""
    async with running(store, slack, "frozen") as one:
        await one.open()
        await one.settled()
        halt = Stopped(one.delivery, "_channel_id")
        await wish(one)
        await halt.reached.wait()
        await taken_over(store, "frozen")
        slack.faults.add(Fault.late(POST, 1.5), Fault.late(COMPLETE, 1.5))
        async with running(store, slack, "other") as other:
            await until(lambda: slack.faults.late)
            await asyncio.sleep(STOOD)
            halt.going_on.set()
            await until(lambda: not one.sender._under_way)
            await other.settled()
    assert set(slack.deliveries().values()) == {1}
    assert len([message for message in slack.messages(CHANNEL) if message.files]) <= 1
    assert len(slack.calls.of(POST)) + len(slack.calls.of(COMPLETE)) == 2, "the first card, and this"


async def test_who_stood_still_before_an_edit_does_not_bring_the_older_text_back(
    store: SqlStore, slack: SlackServer
) -> None:
    """The other one has shown a newer one meanwhile."""
    async with running(store, slack, "frozen") as one:
        await one.open()
        await one.settled()
        halt = Stopped(one.delivery, "_overtaken")
        await an_edit(one)
        await halt.reached.wait()
        await taken_over(store, "frozen")
        async with running(store, slack, "other") as other:
            await other.settled()
            await asyncio.sleep(STOOD)
            halt.going_on.set()
            await until(lambda: not one.sender._under_way)
    assert len(slack.calls.of(EDIT)) == 1


async def test_what_a_later_delivery_left_is_not_dropped_with_what_was_left_before(
    sqlite_store: SqlStore, slack: SlackServer
) -> None:
    """The store is away again for the second while it takes the first."""
    async with bench_on(sqlite_store, slack) as bench:
        await bench.open()
        [message] = await sqlite_store.write(
            lambda tx: tx.outbox.claim(datetime.now(UTC), owner="test", lease_seconds=30, limit=1)
        )
        claims = bench.delivery.claims
        claims.keep(message, lambda _: claims.keep(message, lambda tx: tx.notes.put("second", "stored")))
        assert await claims.store_kept()
        assert claims.kept == {message.id}
        assert await claims.store_kept()
        assert not claims.kept
    assert await sqlite_store.read(lambda tx: tx.notes.get("second")) == "stored"


async def test_what_is_held_meanwhile_is_given_back_too(
    sqlite_store: SqlStore, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery ends in doubt while what others left is stored: it had waited for its lease of 30 s."""
    async with bench_on(sqlite_store, slack) as bench:
        held: list[bool] = []

        async def store_kept() -> bool:
            await asyncio.sleep(0)
            bench.sender._holds_unknown = True
            return True

        async def claim() -> None:
            held.append(bench.sender._holds_unknown)
            raise NotStored("away")

        monkeypatch.setattr(bench.sender._claims, "store_kept", store_kept)
        monkeypatch.setattr(bench.sender, "_claim", claim)
        bench.bell.ring()
        async with asyncio.TaskGroup() as tasks:
            await bench.sender._round(tasks)
        assert held == [True]


class StoppedByRefusal:
    """Stops a process where Slack has just refused what a message says."""

    def __init__(self, client: SlackClient, name: str) -> None:
        self.reached, self.going_on = asyncio.Event(), asyncio.Event()
        self._usual = getattr(client, name)
        setattr(client, name, self._stand)

    async def _stand(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
        try:
            return await self._usual(*arguments, **named)
        except ContentRefused:
            self.reached.set()
            await self.going_on.wait()
            raise


@pytest.mark.parametrize(("wish", "method", "name"), [(a_card, POST, "post"), (an_edit, EDIT, "edit")])
async def test_who_stood_still_before_a_plain_version_leaves_it_to_who_has_the_message(
    store: SqlStore, slack: SlackServer, wish: Wish, method: str, name: str
) -> None:
    """It is a call of its own: the other one has told the message meanwhile."""
    async with running(store, slack, "frozen") as one:
        await one.open()
        await one.settled()
        before = len(slack.calls.of(method))
        halt = StoppedByRefusal(one.client, name)
        slack.faults.add(Fault.error(method, "invalid_blocks"))
        await wish(one)
        await halt.reached.wait()
        await taken_over(store, "frozen")
        async with running(store, slack, "other") as other:
            await other.settled()
            await asyncio.sleep(STOOD)
            halt.going_on.set()
            await until(lambda: not one.sender._under_way)
    assert set(slack.deliveries().values()) == {1}
    assert len(slack.calls.of(method)) - before == 2, "what was refused, and the other one's"


async def test_who_stood_still_says_nothing_of_what_another_has_taken_over(
    store: SqlStore, slack: SlackServer
) -> None:
    """That its own attempt came to nothing says nothing of the other one's, which is under way."""
    async with running(store, slack, "frozen") as one:
        halt = Stopped(one.client, "post")
        slack.faults.add(Fault.rate_limited(POST, 1))
        await a_card(one)
        await halt.reached.wait()
        await taken_over(store, "frozen")
        held = await held_by_other(store)
        halt.going_on.set()
        await until(lambda: not one.sender._under_way)
        until_when = await store.read(lambda tx: tx.outbox.held_until(held[0].id, "other"))
        now = await store.read(lambda tx: tx.outbox.get(held[0].id))
    assert until_when is not None
    assert now is not None
    assert now.attempted_at == held[0].attempted_at is not None


async def test_who_stood_still_while_making_sure_of_a_message_takes_no_copy_back(
    store: SqlStore, slack: SlackServer
) -> None:
    """The other one may go on with the very copy that this one takes for the extra."""
    quick = DeliveryTimes(timeout=0.4, settle=0.5, after=(0.3, 1.2), look_every=0.1)
    slack.faults.add(Fault.late(POST, 5.0))
    async with running(store, slack, "frozen", times=quick) as one:
        halt = Stopped(one.delivery._copies, "_find")
        await a_card(one)
        await halt.reached.wait()
        await until(lambda: len(slack.messages(CHANNEL)) == 2, 15)
        await taken_over(store, "frozen")
        await held_by_other(store)
        await asyncio.sleep(STOOD)
        halt.going_on.set()
        await until(lambda: not one.sender._under_way)
        assert len(slack.messages(CHANNEL)) == 2
        assert not slack.calls.of("chat.delete")


async def test_what_is_under_way_is_not_begun_a_second_time_when_its_lease_ends(
    sqlite_store: SqlStore, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stood still for longer than its lease claims its own message once more."""
    monkeypatch.setattr("bot.slack.sender.LEASE_SECONDS", 0.2)
    async with running(sqlite_store, slack) as bench:
        halt = Stopped(bench.client, "post")
        await a_card(bench)
        await halt.reached.wait()
        await asyncio.sleep(0.3)
        for _ in range(3):
            bench.bell.ring()
            await asyncio.sleep(0.1)
        assert len(bench.sender._tasks) == 1
        halt.going_on.set()
        await bench.settled()
    assert len(slack.calls.of(POST)) == 1
