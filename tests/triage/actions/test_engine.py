"""The engine beside its steps: cancel, shutdown, replicas, masked output, the reminder and known-good snapshots."""

# ruff: noqa: ARG002 - an executor is given more than a gate looks at

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.agent.embedded import embedded_access
from bot.desk.snapshots import DeskSnapshots
from bot.store import open_store
from tests.bot.slack.blocks.samples import incident
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeMetrics, FakeSources, container, sample
from tests.schema import with_schema
from tests.triage.actions.bench import REASON, settings
from triage.actions import jobs, proposals
from triage.actions.context import ActionServices
from triage.actions.degraded import begun, degraded
from triage.actions.engine import ActionEngine
from triage.actions.executor import Executor, Turn
from triage.actions.lease import LEASE_SECONDS
from triage.actions.snapshots import facts_of_snapshots
from triage.errors import DeskFailure
from triage.incidents.notifications import IN_CHANNEL, tell_card
from triage.model import ActionProposal, TimelineKind
from triage.plans.plan import Step
from triage.plans.record import ActionRecord, ActionStatus, Confirmation, StepStatus
from triage.plans.verification import VerificationOutcome
from triage.ports.actions import OnOutput, Performed, Snapshot
from triage.ports.clock import Clock, SystemClock
from triage.ports.store import MessageKind, Store, Tx

NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)


class Gate(Executor):
    """Waits at its first step until the test lets it on."""

    def __init__(self, services: ActionServices) -> None:
        super().__init__(services.sources, services.access, services.clock)
        self.begun, self.open = asyncio.Event(), asyncio.Event()
        self.performed: list[str] = []

    async def perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        """Note a step and wait."""
        self.performed.append(step.title)
        self.begun.set()
        await self.open.wait()
        return Performed(
            ok=True, note="done", output="BITGET_API_SECRET=bg_0123456789abcdef0123456789abcdef\nfine"
        )


def desktop_on(store: Store, root: Path, clock: Clock | None = None) -> tuple[ActionServices, FakeSources]:
    """Return a desk of fakes on a real store."""
    sources = FakeSources()
    sources.containers.hold(*(container(f"hbot-bot{number}") for number in (1, 2, 3)))
    desk = settings(root, (sys.executable, "-c", "pass"))
    return ActionServices(
        store=store,
        desk=desk,
        sources=sources.port,
        access=embedded_access(desk, clock=clock),
        clock=clock or SystemClock(),
    ), sources


async def confirmed(engine: ActionEngine, kind: str = "degraded_mode", target: str = "desk") -> ActionRecord:
    """Propose and confirm."""
    record = await engine.propose(kind, target, by="U1", why="test")
    prepared = await engine.prepare(record.handle)
    assert prepared.plan is not None, prepared.blocked
    return await engine.confirm(record.handle, digest=prepared.plan.digest, actor="U1", reason=REASON)


async def until(store: Store, action_id: int, fits: Callable[[ActionRecord], bool]) -> ActionRecord:
    """Wait for an action to be so."""
    async with asyncio.timeout(20):
        while True:
            record = await store.read(lambda tx: tx.actions.get(action_id))
            assert record is not None
            if fits(record):
                return record
            await asyncio.sleep(0.05)


async def test_where_no_boundary_allows_it_a_cancelled_action_goes_to_its_end(tmp_path: Path) -> None:
    """A bot is not left between bytecode and container; output is stored without its secret."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        gate = Gate(services)
        engine = ActionEngine(services, "one", lambda: None, gate)
        loop = asyncio.create_task(engine.run(alone=True))
        record = await confirmed(engine, "clear_cache", "bot1")
        await gate.begun.wait()
        await engine.cancel(record.handle, actor="U2")
        gate.open.set()
        ended = await until(store, record.id, lambda one: one.status.ended)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        steps = await store.read(lambda tx: tx.actions.steps(record.id))
    # The second step recreates the bot: from there on it is not left half done, so nothing is cancelled.
    assert ended.status is ActionStatus.SUCCEEDED
    assert all("bg_0123456789abcdef" not in step.output for step in steps)
    assert "fine" in steps[1].output


async def test_degraded_mode_can_be_cancelled_between_two_stops(tmp_path: Path) -> None:
    """What is stopped is said, the rest is left alone, and the way out is offered."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        sources.streams.state = replace(sources.streams.state, role="slave")
        gate = Gate(services)
        engine = ActionEngine(services, "one", lambda: None, gate)
        loop = asyncio.create_task(engine.run(alone=True))
        record = await confirmed(engine)
        await gate.begun.wait()
        await engine.cancel(record.handle, actor="U2")
        gate.open.set()
        ended = await until(store, record.id, lambda one: one.status.ended)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        steps = await store.read(lambda tx: tx.actions.steps(record.id))
        offered = await store.read(lambda tx: tx.actions.children(record.id))
        state = await store.read(degraded)
    assert ended.status is ActionStatus.FAILED
    assert "cancelled by @U2 before step 2; steps 1 to 1 are done" in ended.outcome
    assert [step.status for step in steps][:3] == [StepStatus.DONE, StepStatus.DONE, StepStatus.SKIPPED]
    assert gate.performed == ["stop signal-service"]
    assert "exit_degraded_mode" in {one.kind for one in offered}
    assert state is not None
    assert not state.sure


async def test_a_shutdown_says_unknown_before_the_process_is_gone(tmp_path: Path) -> None:
    """The loop is cancelled while a step runs: it is on disk by then that the outcome is not known."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        gate = Gate(services)
        engine = ActionEngine(services, "one", lambda: None, gate)
        loop = asyncio.create_task(engine.run(alone=True))
        record = await confirmed(engine, "recreate", "bot1")
        await gate.begun.wait()
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        after = await store.read(lambda tx: tx.actions.get(record.id))
        assert after is not None
        assert after.status is ActionStatus.UNKNOWN
        assert "during step 1" in after.outcome


async def test_another_replica_takes_over_when_the_lease_ends_and_the_slow_one_stops(tmp_path: Path) -> None:
    """Before the lease ends the other leaves it alone; after, it is unknown, and the first does nothing further."""
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)
        gate = Gate(services)
        slow = ActionEngine(services, "slow", lambda: None, gate)
        other = ActionEngine(services, "other", lambda: None, Gate(services))
        loop = asyncio.create_task(slow.run(alone=False))
        record = await confirmed(slow, "recreate", "bot1")
        await gate.begun.wait()
        assert await other.recover(alone=False) == 0
        clock.move(LEASE_SECONDS + 1)
        assert await other.recover(alone=False) == 1
        gate.open.set()
        await asyncio.sleep(0.3)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        after = await store.read(lambda tx: tx.actions.get(record.id))
        assert after is not None
        assert after.status is ActionStatus.UNKNOWN
        assert gate.performed == ["recreate bot1"]


async def test_a_second_person_who_does_not_come_is_asked_for_once(tmp_path: Path) -> None:
    """In the channel too, from the incident's thread, after five minutes, and never again for the same confirmation."""
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)

        def wait(tx: Tx) -> int:
            about = tx.incidents.save(incident(id=0))
            tell_card(tx, about, NOW)
            proposal = ActionProposal("rollback", "bot1", "why")
            record = proposals.propose(tx, services.desk, proposal, by="U1", now=NOW, incident_id=about.id)
            first = (Confirmation("U1", NOW, "because", ""),)
            tx.actions.save(replace(record, needed=2, confirmations=first))
            return about.id

        about = await store.write(wait)
        assert not await jobs.remind_waiting(services)
        clock.move(minutes=6)
        assert await jobs.remind_waiting(services)
        clock.move(minutes=6)
        assert not await jobs.remind_waiting(services)
        lines = await store.read(lambda tx: tx.timeline.of(about, TimelineKind.ACTION))
        assert [line.text for line in lines] == [
            "Rollback on bot1 still waits for a second person: @U1 confirmed 6 min ago, open until 12:30 UTC"
        ]
        assert lines[0].data[IN_CHANNEL]
    async with open_store(with_schema(tmp_path / "triage.db")) as again:  # a restart knows that it was asked
        assert not await jobs.remind_waiting(replace(services, store=again))


async def test_a_second_person_of_an_action_without_an_incident_is_asked_for_too(tmp_path: Path) -> None:
    """Its message stands in the channel, and so does the reminder, with that person's button."""
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)

        def wait(tx: Tx) -> str:
            proposal = ActionProposal("rollback", "bot1", "why")
            record = proposals.propose(tx, services.desk, proposal, by="U1", now=NOW)
            first = (Confirmation("U1", NOW, "because", ""),)
            tx.actions.save(replace(record, needed=2, confirmations=first))
            return record.handle

        handle = await store.write(wait)
        clock.move(minutes=6)
        assert [await jobs.remind_waiting(services) for _ in range(2)] == [True, False]

        def owed(tx: Tx) -> str:
            message = tx.outbox.get(1)
            assert message is not None
            document = tx.notes.document(int(message.ref))
            assert document is not None
            return str(document.data)

        said = await store.read(owed)
    assert "Rollback on bot1 still waits for a second person: @U1 confirmed 6 min ago" in said
    assert handle in said


async def test_degraded_mode_is_recalled_every_thirty_minutes_with_the_way_out(tmp_path: Path) -> None:
    """Not before half an hour, once each half hour whatever runs twice, and not any more when it is off."""
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)
        engine = ActionEngine(services, "one", lambda: None)
        assert not await jobs.remind_degraded(services)
        record = await engine.propose("degraded_mode", "desk", by="U1", why="Redis is down")
        await store.write(lambda tx: begun(tx, record, clock.now()))
        assert not await jobs.remind_degraded(services)
        clock.move(minutes=31)
        assert await jobs.remind_degraded(services)
        assert not await jobs.remind_degraded(services)
        clock.move(minutes=30)
        assert await jobs.remind_degraded(services)
        owed = await store.write(lambda tx: tx.outbox.claim(clock.now(), owner="t", lease_seconds=9, limit=9))
        exits = [
            one
            for one in await store.read(lambda tx: tx.actions.proposed())
            if one.kind == "exit_degraded_mode"
        ]
    assert len([message for message in owed if message.kind is MessageKind.DOCUMENT]) == 2
    assert len(exits) == 1


async def test_a_snapshot_is_known_good_only_after_a_healthy_day(tmp_path: Path) -> None:
    """Healthy for 24 h: good; a hard stop in between: not; no samples: not judged at all."""
    day = [sample(1440, bot="bot1")]
    for stops, share, wanted in (
        (0.0, day, "yes"),
        (1.0, day, "no"),
        (0.0, [sample(700, bot="bot1")], "no"),
        (0.0, [], None),
    ):
        root = tmp_path / f"{stops}{len(share)}{wanted}"
        for part in ("conf", "data", "scripts", "pmm_scripts"):
            (root / "data/bot1" / part).mkdir(parents=True)
        (root / "backups").mkdir()
        (root / "env").mkdir()
        (root / "env/.env").write_text("HUMMINGBOT_IMAGE=hbot/hummingbot:v1\n")
        clock = ManualClock(NOW)
        async with open_store(with_schema(root / "triage.db")) as store:
            services, sources = desktop_on(store, root, clock)
            metrics: FakeMetrics = sources.metrics
            metrics.answers = {"count_over_time": share, "max_over_time": [sample(stops, bot="bot1")]}
            taken = await jobs.take_snapshots(services)
            assert taken["bot1"].startswith("bot1_20260221_120000.tar.gz taken")
            assert await jobs.judge_snapshots(services) == 0, "a day has not passed"
            clock.move(hours=25)
            judged = await jobs.judge_snapshots(services)
            [facts] = (await store.read(facts_of_snapshots)).values()
        assert facts.get("known_good") == wanted
        assert judged == (wanted is not None)
        assert facts["image"] == "hbot/hummingbot:v1"


async def test_a_bot_whose_snapshots_nobody_can_list_keeps_no_other_from_being_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that is away in that minute is no fault of ours that /readyz shows for the hour until the next look."""
    at = NOW - timedelta(days=2)

    async def listed(_: object, bot: str) -> tuple[Snapshot, ...]:
        if bot == "bot1":
            raise DeskFailure("the agent cannot be reached")
        return (Snapshot(f"{bot}_{at:%Y%m%d_%H%M%S}.tar.gz", bot, at, 1),) if bot == "bot2" else ()

    monkeypatch.setattr(DeskSnapshots, "list", listed)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path, ManualClock(NOW))
        sources.metrics.answers = {
            "count_over_time": [sample(1440, bot="bot2")],
            "max_over_time": [sample(0.0, bot="bot2")],
        }
        assert await jobs.judge_snapshots(services) == 1
        assert list(await store.read(facts_of_snapshots)) == [f"bot2_{at:%Y%m%d_%H%M%S}.tar.gz"]


def test_the_rows_of_a_verification_decide_as_they_should() -> None:
    """Bad that decides is persisting; unknown that decides is inconclusive; what got worse beside counts too."""
    from triage.actions.verification import compare  # noqa: PLC0415 - the one test of it
    from triage.plans.verification import Observation, Row  # noqa: PLC0415 - of this test alone

    def seen(*rows: Row) -> Observation:
        return Observation(NOW + timedelta(0), rows)

    good, bad, unknown = Row("a", "x", good=True), Row("a", "x", good=False), Row("a", "x", None)
    aside = Row("b", "y", good=True, decides=False)
    worse = Row("b", "z", good=False, decides=False)
    assert compare(seen(bad), seen(good)).outcome is VerificationOutcome.RECOVERED
    assert compare(None, seen(bad)).outcome is VerificationOutcome.PERSISTING
    assert compare(seen(bad), seen(unknown)).outcome is VerificationOutcome.INCONCLUSIVE
    assert compare(seen(bad, aside), seen(good, worse)).outcome is VerificationOutcome.PERSISTING
    assert compare(seen(bad, worse), seen(good, worse)).outcome is VerificationOutcome.RECOVERED
    assert compare(None, seen(worse)).outcome is VerificationOutcome.INCONCLUSIVE
