"""What the clock starts, with one item among others that it fails on: the others are done, and the failure is said."""

import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from bot.store import SqlStore
from bot.watched_reads import FOLDERS
from schedules import escalation, fallback, tidying
from schedules.compose_changes import ComposeWatch
from schedules.digest import DigestJob
from schedules.escalation import EscalationJob
from schedules.fallback import FallbackJob
from schedules.retention import RetentionJob
from schedules.tidying import TidyingJob
from schedules.watchdog import SourceProbe
from tests.contracts.store_samples import open_incident
from tests.fakes.breaking import FAULTS
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeAlerts, FakeSources
from tests.schedules.test_digest import FakeDigests
from tests.schedules.test_drill import drills
from tests.schedules.test_fallback import Channel
from tests.triage.actions.test_engine import desktop_on
from triage.actions import jobs, proposals
from triage.actions.context import ActionServices
from triage.concurrency import ItemsFailed
from triage.desk import Desk
from triage.desk_sections.compose import Paths
from triage.errors import StoreUnavailable
from triage.memory.believed_clock import BelievedClock
from triage.model import ActionProposal, Severity, Subject, SubjectKind, TimelineKind
from triage.plans.record import Confirmation
from triage.ports.actions import NightlySnapshot, Snapshot
from triage.ports.store import Tx
from triage.reports.drill.follow import RUNNING, Drills
from triage.reports.drill.story import DrillStory

ITEMS = (1, 2, 3, 4)
BOTS = tuple(f"bot{number}" for number in ITEMS)


@dataclass
class Bench:
    """A store, a clock, and what fails: the work for the ``bad`` ones of the items, by ``fault``."""

    store: SqlStore
    monkeypatch: pytest.MonkeyPatch
    root: Path
    fault: BaseException
    bad: Collection[int]
    clock: ManualClock

    def fails(self, owner: object, name: str, which: Callable[..., int]) -> None:
        """Have a function fail for the bad items. ``which`` says of its arguments which item it is called for."""
        usual = getattr(owner, name)

        def work(*arguments: Any, **named: Any) -> object:  # noqa: ANN401 - as it is called
            if which(*arguments, **named) in self.bad:
                raise self.fault
            return usual(*arguments, **named)

        self.monkeypatch.setattr(owner, name, work)

    async def incidents(self) -> None:
        """Open one incident an item."""

        def opened(tx: Tx) -> None:
            for bot in BOTS:
                open_incident(tx, subjects=(Subject(SubjectKind.BOT, bot),), severity=Severity.SEV1)

        await self.store.write(opened)

    async def run(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run a job: that it failed on some is raised behind the last one, and the log has what is not raised."""
        logged: list[str] = []
        sink = logger.add(logged.append, format="{message}")
        try:
            with pytest.raises(ItemsFailed, match=f"{len(self.bad)} of .* failed, the first by"):
                await work()
        finally:
            logger.remove(sink)
        others = [line for line in logged if line.startswith("one of several failed")]
        assert len(others) == len(self.bad) - 1
        assert all(type(self.fault).__name__ in line for line in others)


async def tidied(bench: Bench) -> Collection[int]:
    """Quiet incidents are resolved."""
    await bench.incidents()
    bench.clock.move(hours=24)
    bench.fails(tidying, "ask", lambda _, incident, __: incident.id)
    await bench.run(TidyingJob(bench.store, Desk(), bench.clock).run)
    open_ones = await bench.store.read(lambda tx: [one.id for one in tx.incidents.open()])
    return set(ITEMS) - set(open_ones)


async def escalated(bench: Bench) -> Collection[int]:
    """Each is told, if not together then by itself."""
    steps = [{"after_minutes": 5, "mention": ["U0ANA00001"]}]
    desk = Desk.model_validate({"escalation": {"steps": steps, "gather_minutes": 0}})
    await bench.incidents()
    bench.clock.move(minutes=6)
    bench.fails(escalation, "_triggered_at", lambda _, incident: incident.id)
    job = EscalationJob(
        store=bench.store, desk=desk, clock=bench.clock, channels=(), wake_sender=lambda: None
    )
    await bench.run(job.run)

    def told(tx: Tx) -> list[int]:
        return [number for number in ITEMS if tx.timeline.of(number, TimelineKind.ESCALATED)]

    return await bench.store.read(told)


async def sent_by_another_way(bench: Bench) -> Collection[int]:
    """What Slack does not take is owed to the fallback channels."""
    desk = Desk.model_validate({"fallback": {"gather_seconds": 0}})
    await bench.incidents()
    bench.clock.move(minutes=6)
    bench.fails(fallback, "_waits", lambda _, incident, *__: incident.id)
    job = FallbackJob(
        store=bench.store,
        desk=desk,
        clock=bench.clock,
        channels={"webhook": Channel("webhook")},
        wake_sender=lambda: None,
    )
    await bench.run(job.owe_due)
    entries = await bench.store.read(lambda tx: tx.audit.entries())
    numbers = [number for one in entries for number in one.detail.get("incidents", ())]
    return [int(str(number).removeprefix("INC-")) for number in numbers]


async def drilled(bench: Bench) -> Collection[int]:
    """Drills that another process began are fired; one that we fail on ends as failed."""
    alerts = FakeAlerts()
    running = drills(bench.store, bench.clock, alerts)
    begun = [await bench.store.write(lambda tx: running.begin(tx, "U1")) for _ in ITEMS]
    numbers = {story.id: number for number, story in zip(ITEMS, begun, strict=True)}
    bench.clock.move(10)
    bench.fails(Drills, "_fired", lambda _, story: numbers[story.id])
    await bench.run(running.follow)
    left = await bench.store.read(lambda tx: tx.notes.all_parsed(RUNNING, DrillStory.from_text))
    assert {numbers[story.id] for story in left.values() if not story.over} == set(ITEMS) - set(bench.bad)
    ended = await bench.store.read(lambda tx: [e.event for e in tx.audit.entries() if e.actor == "drill"])
    assert ended == ["drill.failed"] * len(bench.bad)
    return [numbers[story.id] for story in left.values() if story.passed]


async def kept_nightly(bench: Bench) -> Collection[int]:
    """A snapshot of each bot."""
    services, agent = _services(bench)
    bench.fails(agent, "keep_snapshot", lambda bot: int(bot[-1]))
    await bench.run(lambda: jobs.take_snapshots(services))
    return [int(bot[-1]) for bot in agent.kept]


async def expired(bench: Bench) -> Collection[int]:
    """Proposals whose time is over."""
    services, _ = _services(bench)
    await bench.store.write(lambda tx: _propose(tx, services))
    bench.clock.move(hours=1)
    bench.fails(proposals, "_over", lambda _, record, __: record.id)
    await bench.run(lambda: jobs.expire_proposals(services))
    left = await bench.store.read(proposals.open_ids)
    return set(ITEMS) - set(left)


async def reminded(bench: Bench) -> Collection[int]:
    """Actions that wait for a second person."""
    services, _ = _services(bench)
    await bench.store.write(lambda tx: _propose(tx, services))
    bench.clock.move(minutes=6)
    bench.fails(jobs, "_remind", lambda _, record, __: record.id)
    await bench.run(lambda: jobs.remind_waiting(services))
    notes = await bench.store.read(lambda tx: [n for n in ITEMS if tx.notes.document(n) is not None])
    return set(ITEMS) - set(bench.bad) if len(notes) == len(ITEMS) - len(bench.bad) else ()


def _propose(tx: Tx, services: ActionServices) -> None:
    now = services.clock.now()
    for bot in BOTS:
        proposal = ActionProposal("rollback", bot, "why")
        record = proposals.propose(tx, services.desk, proposal, by="U1", now=now)
        first = (Confirmation("U1", now, "because", ""),)
        tx.actions.save(replace(record, needed=2, confirmations=first))


async def judged(bench: Bench) -> Collection[int]:
    """Snapshots that are a day old are good or bad."""
    services, _ = _services(bench)
    bench.clock.move(days=3)
    found: list[int] = []

    async def healthy(_: object, snapshot: Snapshot) -> bool | None:
        found.append(int(snapshot.bot[-1]))
        return True

    bench.monkeypatch.setattr(jobs, "_healthy_after", healthy)
    bench.fails(jobs, "_healthy_after", lambda _, snapshot: int(snapshot.bot[-1]))
    await bench.run(lambda: jobs.judge_snapshots(services))
    return found


async def forgotten(bench: Bench) -> Collection[int]:
    """Each kind of what is old."""
    names = ("forget_incidents", "forget_signals", "forget_findings", "forget_documents")
    done: set[int] = set()
    kind = type(await bench.store.read(lambda tx: tx.aging))
    for number, name in zip(ITEMS, names, strict=True):
        bench.monkeypatch.setattr(kind, name, partial(_note, done, number))
        bench.fails(kind, name, lambda *_, number=number: number)
    believed = BelievedClock(bench.store, bench.clock)
    await bench.run(RetentionJob(bench.store, Desk(), believed).run)
    return done


def _note(done: set[int], number: int, *_: object) -> int:
    done.add(number)
    return 0


async def probed(bench: Bench) -> Collection[int]:
    """Each source is asked whether it answers."""
    sources = FakeSources()
    probe = SourceProbe(sources.port)
    await probe.run()
    for number, fake in zip(
        ITEMS, (sources.metrics, sources.logs, sources.alerts, sources.containers), strict=True
    ):
        fake.error = bench.fault if number in bench.bad else None  # type: ignore[assignment]
    await bench.run(probe.run)
    named = dict(zip(("prometheus", "loki", "alertmanager", "docker"), ITEMS, strict=True))
    assert {named[name] for name in probe.troubles} == bench.bad
    return [number for name, number in named.items() if probe.up.get(name)]


async def compared(bench: Bench) -> Collection[int]:
    """Each of the Compose files."""
    names = [f"{number}.yml" for number in ITEMS]
    desk = Desk.model_validate({"compose": {"files": names}})
    desk = desk.model_copy(update={"paths": Paths(compose=bench.root)})
    for name in names:
        (bench.root / name).write_text("services: {}\n")
    watch = ComposeWatch(store=bench.store, desk=desk, clock=bench.clock, stored=lambda: None, reads=FOLDERS)
    bench.fails(ComposeWatch, "_compare", lambda _, __, name, *___: int(name[0]))
    await bench.run(watch.run)
    notes = await bench.store.read(lambda tx: tx.notes.all("changes/compose"))
    return [1 if key == "changes/compose" else int(key.rpartition("/")[2][0]) for key in notes]


@dataclass
class NightlyAgent:
    """Keeps snapshots."""

    kept: list[str]

    async def keep_snapshot(self, bot: str) -> NightlySnapshot:
        """Take one."""
        self.kept.append(bot)
        return NightlySnapshot(f"{bot}_20260220_030000.tar.gz", "a" * 64, ())


@dataclass
class ListedSnapshots:
    """Lists one snapshot of each bot."""

    clock: ManualClock

    async def list(self, bot: str) -> tuple[Snapshot, ...]:
        """List it."""
        at = self.clock.now() - timedelta(days=2)
        return (Snapshot(f"{bot}_{at:%Y%m%d_%H%M%S}.tar.gz", bot, at, 1),)


def _services(bench: Bench) -> tuple[ActionServices, NightlyAgent]:
    services, _ = desktop_on(bench.store, bench.root, bench.clock)
    agent = NightlyAgent([])
    env = bench.root / "env"
    env.mkdir(exist_ok=True)
    (env / ".env").write_text("HUMMINGBOT_IMAGE=hbot:v1\n")
    access = replace(services.access, agent=agent, snapshots=ListedSnapshots(bench.clock))  # type: ignore[arg-type]
    desk = services.desk.model_copy(
        update={
            "bots": Desk.model_validate({"bots": [{"name": b, "container": f"hbot-{b}"} for b in BOTS]}).bots
        }
    )
    return replace(services, access=access, desk=desk), agent


WORK = (
    tidied,
    escalated,
    sent_by_another_way,
    drilled,
    kept_nightly,
    judged,
    forgotten,
    probed,
    compared,
    expired,
    reminded,
)


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[type(fault).__name__ for fault in FAULTS])
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
async def test_a_bad_item_costs_only_itself(
    sqlite_store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    work: Callable[[Bench], Awaitable[Collection[int]]],
    number: int,
) -> None:
    """One between good ones, or two side by side."""
    bad = {2} if number % 2 else {2, 3}
    bench = Bench(
        store=sqlite_store,
        monkeypatch=monkeypatch,
        root=tmp_path,
        fault=FAULTS[number],
        bad=bad,
        clock=ManualClock(),
    )
    assert set(await work(bench)) == set(ITEMS) - bad


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_digest_that_we_fail_on_is_posted_without_its_figures(
    sqlite_store: SqlStore, fault: BaseException
) -> None:
    """It was measured anew every ten seconds, and nobody read why there is none; the job still says that it failed."""
    desk = Desk.model_validate({"schedules": {"digest": "5 0 * * *"}})
    clock, digests = ManualClock(), FakeDigests()
    job = DigestJob(store=sqlite_store, desk=desk, clock=clock, digests=digests, wake_sender=lambda: None)
    await job.run()
    clock.move(hours=24)
    digests.error = fault  # type: ignore[assignment]
    with pytest.raises(ItemsFailed, match="1 of 1 failed"):
        await job.run()
    document = await sqlite_store.read(lambda tx: tx.notes.document(1))
    assert document is not None
    assert f"nothing could be measured. a fault of ours ({type(fault).__name__}" in str(document.data)
    assert await job.run() == 0
    assert len(digests.windows) == 1


async def test_a_change_that_the_store_did_not_take_is_told_later(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file counted as read, and the change was told when somebody touched the file again."""
    file = tmp_path / "docker-compose.yml"
    desk = Desk().model_copy(update={"paths": Paths(compose=tmp_path)})
    watch = ComposeWatch(
        store=sqlite_store, desk=desk, clock=ManualClock(), stored=lambda: None, reads=FOLDERS
    )
    file.write_text("services:\n  bot1: {image: a}\n")
    await watch.run()
    file.write_text("services:\n  bot1: {image: b}\n")
    os.utime(file, ns=(1, 1))

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_store, "write", away)
        with pytest.raises(StoreUnavailable):
            await watch.run()
    assert await watch.run()
