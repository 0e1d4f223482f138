"""Triage side by side: the gravest first, a fault of ours ends and says so, no card goes on saying that it runs."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import pytest

from bot.liveness import IDLE_SECONDS, Liveness
from bot.store import SqlStore
from bot.triage_loop import TRIAGES_AT_ONCE, TriageLoop
from tests.contracts.store_samples import open_incident
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from triage.desk import Desk
from triage.errors import CommitUnknown, StoreUnavailable
from triage.model import FindingStatus, RunStatus, Severity, TriageRun
from triage.ports.bell import Bell
from triage.ports.store import Tx
from triage.reports.incident_view import view_incident
from triage.runs import runner
from triage.runs.runner import TriageRunner


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it does not hold after 8 s")


class Slow(TriageRunner):
    """A runner whose checks end when the test says so; notes which incidents it took, in order."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store, Desk(), FakeSources().port, ManualClock(), "me", wake_sender=lambda: None)
        self.begun: list[int] = []
        self.go = asyncio.Event()

    async def execute(self, run: TriageRun) -> TriageRun:
        """Hang as a source does."""
        self.begun.append(run.incident_id)
        await self.go.wait()
        return run


@asynccontextmanager
async def running(runner: TriageRunner) -> AsyncIterator[TriageLoop]:
    """Run the loop until the block ends."""
    loop = TriageLoop(runner, Bell(), Liveness(ManualClock()))
    task = asyncio.create_task(loop.run())
    try:
        yield loop
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def queued(store: SqlStore, severity: Severity) -> int:
    """Open an incident with a run that waits; gives its id."""

    def write(tx: Tx) -> int:
        one = open_incident(tx, severity=severity)
        tx.runs.queue(one.id, "opened", ManualClock().now())
        return one.id

    return await store.write(write)


async def test_a_sev_1_does_not_wait_behind_warnings_whose_source_hangs(sqlite_store: SqlStore) -> None:
    """Fifty wait, every common place hangs: its own begins at once."""
    runner = Slow(sqlite_store)
    for _ in range(50):
        await queued(sqlite_store, Severity.SEV3)
    async with running(runner) as loop:
        await eventually(lambda: len(runner.begun) == TRIAGES_AT_ONCE)
        grave = await queued(sqlite_store, Severity.SEV1)
        loop.waiting.ring()
        await eventually(lambda: grave in runner.begun)
        assert len(runner.begun) == TRIAGES_AT_ONCE + 1


async def test_the_gravest_incident_is_triaged_first(sqlite_store: SqlStore) -> None:
    """Whatever waits longer."""
    ids = [await queued(sqlite_store, severity) for severity in (Severity.SEV3, Severity.SEV2, Severity.SEV1)]
    runner = Slow(sqlite_store)
    async with running(runner):
        await eventually(lambda: len(runner.begun) == 3)
    assert runner.begun == ids[::-1]


class Broken(Slow):
    """A runner to which the store is away for a moment: where it takes a run, or in the middle of one."""

    def __init__(self, store: SqlStore, where: str) -> None:
        super().__init__(store)
        self._where, self._failed = where, False
        self._broken: list[int] = []

    async def take(self, *, urgent: bool = False) -> TriageRun | None:
        """Take a run; the first time nobody is told."""
        run = await super().take(urgent=urgent)
        if self._where == "take" and not self._failed:
            self._failed = True
            raise CommitUnknown("it did not say")
        return run

    async def execute(self, run: TriageRun) -> TriageRun:
        """Fail the first time."""
        if self._where == "execute" and run.id not in self._broken:
            self._broken.append(run.id)
            await asyncio.sleep(0.02 * len(self._broken))
            raise StoreUnavailable("away")
        return await super().execute(run)

    async def give_back(self, *, but: Collection[int]) -> None:
        """Take a while: another run ends meanwhile."""
        await super().give_back(but=but)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("where", ["take", "execute"])
async def test_a_triage_whose_store_was_away_for_a_moment_does_not_wait_for_its_lease(
    sqlite_store: SqlStore, where: str
) -> None:
    """The process lives and knows that it does not run it; the clock stands still here, so that no lease ends."""
    runner = Broken(sqlite_store, where)
    incidents = [await queued(sqlite_store, Severity.SEV2) for _ in range(3)]
    began = time.monotonic()
    async with running(runner):
        await eventually(lambda: sorted(runner.begun) == incidents)
    assert time.monotonic() - began < IDLE_SECONDS


@pytest.mark.parametrize("fault", [OverflowError("date value out of range"), asyncio.CancelledError()])
@pytest.mark.parametrize("where", ["context_of", "run_checks", "judge_and_pack"])
async def test_a_triage_that_fails_ends_and_says_so(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, fault: BaseException, where: str
) -> None:
    """It is tried once more; then the card says that the triage failed, and nothing runs.

    That something it waited for was cancelled, and not the triage, is a fault as others: it was queued anew without end.
    """
    faults = []

    def fail(*_: object, **__: object) -> None:
        faults.append(1)
        raise fault

    monkeypatch.setattr(runner, where, fail)
    triages = TriageRunner(
        store=sqlite_store,
        desk=Desk(),
        sources=FakeSources().port,
        clock=ManualClock(),
        owner="me",
        wake_sender=lambda: None,
    )
    incident_id = await queued(sqlite_store, Severity.SEV2)
    async with running(triages) as loop:
        for _ in range(200):
            loop.waiting.ring()
            latest = await sqlite_store.read(lambda tx: tx.runs.latest(incident_id))
            assert latest is not None
            if len(faults) == 2 and latest.status is RunStatus.DONE:
                break
            await asyncio.sleep(0.02)
        assert loop.liveness.trouble("triage").startswith("failed")
    assert len(faults) == 2
    assert latest is not None
    [finding] = latest.findings
    assert (finding.status, finding.name) == (FindingStatus.UNKNOWN, "triage")
    assert type(fault).__name__ in finding.why

    def shown(tx: Tx) -> bool:
        incident = tx.incidents.get(incident_id)
        assert incident is not None
        return view_incident(tx, incident, all_bots=()).running

    assert not await sqlite_store.read(shown)
