"""Two replicas under every kind of work at once, on one PostgreSQL: nothing blocks, nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.store import SqlStore, open_store
from bot.store.audit import broken_links
from tests.contracts.store_samples import NOW, finding, line, signal
from tests.triage.incidents.desk_story import title_of
from triage.desk import Desk
from triage.incidents import operations
from triage.incidents.intake import Intake
from triage.model import IncidentStatus, SignalStatus, Subject, SubjectKind
from triage.ports.store import Tx

SECONDS = 3.0


@dataclass
class Replica:
    """One process's work; it notes what it claimed. ``posts`` and ``runs`` count by id."""

    name: str
    store: SqlStore
    posts: Counter[tuple[int, int]] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        """Correlate as the service does, without rolling everything into one storm."""
        desk = Desk.model_validate({"correlation": {"storm_incidents": 100_000}})
        self.intake = Intake(desk, lambda one: title_of(desk, one))

    async def receive(self, turn: int) -> None:
        """Take the webhook that both replicas get: ten alerts fire, those of the turn before resolve."""
        boxes = [Subject(SubjectKind.CONTAINER, f"box{number}") for number in range(10)]
        alerts = [signal(f"{turn}-{n}", subject=box) for n, box in enumerate(boxes)]
        alerts += [
            signal(f"{turn - 1}-{n}", SignalStatus.RESOLVED, subject=box, ends_at=NOW)
            for n, box in enumerate(boxes)
        ]
        await self.store.keep(alerts if self.name == "one" else alerts[::-1])

    async def sort(self, turn: int) -> None:
        """Sort the inbox, and queue a run for what is open."""
        del turn

        def work(tx: Tx) -> None:
            self.intake.sort_inbox(tx, NOW)
            for one in tx.incidents.open()[:5]:
                tx.runs.queue(one.id, "hot", NOW)

        await self.store.write(work)

    async def press(self, turn: int) -> None:
        """Press Acknowledge on the oldest open incidents, from the newest to the oldest on one replica."""

        def work(tx: Tx) -> None:
            found = [one for one in tx.incidents.open() if one.status is IncidentStatus.TRIGGERED][:3]
            for one in found if self.name == "one" else found[::-1]:
                operations.acknowledge(tx, one.id, actor=f"U0{self.name}", now=NOW)
                tx.timeline.add(line(one.id, f"pressed in turn {turn}", key=f"{one.id}-{turn}"))

        await self.store.write(work)

    async def send(self, turn: int) -> None:
        """Claim messages, then say that Slack has them."""
        del turn
        claimed = await self.store.write(
            lambda tx: tx.outbox.claim(NOW, owner=self.name, lease_seconds=600, limit=8)
        )
        for message in claimed:
            self.posts[message.id, message.sent_revision] += 1

        def done(tx: Tx) -> None:
            for one in claimed:
                tx.outbox.posted(
                    one.id, post_id=f"{one.id}.1", channel_id="C1", revision=one.sent_revision + 1, now=NOW
                )

        if claimed:
            await self.store.write(done)

    async def triage(self, turn: int) -> None:
        """Take a run and finish it."""
        del turn
        run = await self.store.write(lambda tx: tx.runs.take(NOW, owner=self.name, lease_seconds=600))
        if run is not None:
            self.runs[run.id] += 1
            done = replace(run, finished_at=NOW, findings=(finding(),))
            await self.store.write(lambda tx: tx.runs.finish(done))

    async def look(self, turn: int) -> None:
        """Read what the Home tab and the health page read."""
        del turn
        await self.store.read(lambda tx: (tx.outbox.state(), tx.incidents.recent(NOW), tx.signals.waiting()))


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[tuple[Replica, Replica]]:
    """Open the same database twice."""
    async with open_store(postgres_url) as one, open_store(postgres_url) as two:
        yield Replica("one", one), Replica("two", two)


async def _until(end: float, step: Callable[[int], Awaitable[None]]) -> int:
    turn = 0
    while asyncio.get_running_loop().time() < end:
        await step(turn)
        turn += 1
    return turn


async def test_two_replicas_under_a_hot_mixed_load_neither_block_nor_repeat(
    replicas: tuple[Replica, Replica],
) -> None:
    """Seconds of webhooks, sorting, clicks, posts, runs and reads on both at once, all over the same rows."""
    end = asyncio.get_running_loop().time() + SECONDS
    async with asyncio.TaskGroup() as tasks:  # a deadlock or a lock's timeout would be raised here
        working = [
            tasks.create_task(_until(end, step))
            for each in replicas
            for step in (each.receive, each.sort, each.press, each.send, each.triage, each.look)
        ]
    assert min(task.result() for task in working) > 0, "each kind of work had its turns"
    one, two = replicas
    posts, runs = one.posts + two.posts, one.runs + two.runs
    assert posts
    assert max(posts.values()) == 1, "no message was claimed twice in one revision"
    assert runs
    assert max(runs.values()) == 1, "no run was taken twice"

    def whole(tx: Tx) -> None:
        entries = tx.audit.entries(limit=100_000)
        assert entries
        assert broken_links(entries) == []
        incidents = tx.incidents.recent(NOW.replace(year=2000), limit=100_000)
        signals = [stored.id for each in incidents for stored in tx.signals.of(each.id)]
        assert len(signals) == len(set(signals))
        for each in incidents:
            texts = [told.key for told in tx.timeline.of(each.id) if told.text.startswith("pressed")]
            assert len(texts) == len(set(texts))

    await one.store.read(whole)
