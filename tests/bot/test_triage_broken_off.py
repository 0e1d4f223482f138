"""A triage that is broken off at each of its awaits: it ends, nothing says that it runs, and it is told once."""

import asyncio
from itertools import count

import pytest

from bot.store import SqlStore
from tests.bot.test_triage_loop import eventually, queued, running
from tests.fakes.breaking import FAULTS, Break
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from triage.desk import Desk
from triage.model import RunStatus, Severity, TriageRun
from triage.ports.store import MessageKind, Tx
from triage.reports.incident_view import view_incident
from triage.runs import runner
from triage.runs.runner import AGAIN, TriageRunner

pytestmark = pytest.mark.slow


class Broken(TriageRunner):
    """Breaks off the first run at the await that the plan names. ``ended``: how many have ended."""

    def __init__(self, store: SqlStore, plan: Break) -> None:
        super().__init__(store, Desk(), FakeSources().port, ManualClock(), "me", wake_sender=lambda: None)
        self.plan, self.ended = plan, 0

    async def execute(self, run: TriageRun) -> TriageRun:
        """Run, and break it off where it is the first one."""
        work = super().execute(run)
        try:
            return await (work if self.ended else self.plan.into(work))
        finally:
            self.ended += 1


def seen(tx: Tx, incident_id: int) -> tuple[TriageRun, bool, list[str]]:
    """Return an incident's latest run, whether its card says that one runs, and what its summary shows."""
    incident = tx.incidents.get(incident_id)
    latest = tx.runs.latest(incident_id)
    assert incident is not None
    assert latest is not None
    message = tx.outbox.find(MessageKind.TRIAGE, str(incident_id))
    told = [] if message is None else [finding.name for finding in latest.findings]
    return latest, view_incident(tx, incident, all_bots=()).running, told


@pytest.mark.parametrize("kind", ["cancelled", "each kind in turn"])
async def test_a_triage_that_is_broken_off_ends_and_is_told(sqlite_store: SqlStore, kind: str) -> None:
    """It is tried once more where nothing was stored; a summary that was stored is not replaced by its failure."""
    faults = FAULTS[-1:] if kind == "cancelled" else FAULTS
    again = []
    for number in count(1):
        triages = Broken(sqlite_store, Break(number, faults[number % len(faults)]))
        incident_id = await queued(sqlite_store, Severity.SEV2)
        async with running(triages) as loop:
            loop.waiting.ring()
            for _ in range(400):
                latest, runs, told = await sqlite_store.read(lambda tx, one=incident_id: seen(tx, one))  # type: ignore[misc]
                if latest.status is RunStatus.DONE and told != ["triage"]:
                    break
                loop.waiting.ring()
                await asyncio.sleep(0.02)
        assert latest.status is RunStatus.DONE
        assert not runs
        assert told
        assert told != ["triage"]
        again.append(latest.reason == AGAIN)
        if not triages.plan.met:
            break
    assert len(again) > 4
    assert again[0]
    assert not again[-1]


async def asked_for(store: SqlStore, incident_id: int) -> int:
    """Return how often an incident's card was asked for."""
    card = await store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident_id)))
    return 0 if card is None else card.wanted_revision


@pytest.mark.parametrize("telling", ["tell_triage", "tell_card"])
async def test_a_triage_whose_failure_cannot_be_told_ends_all_the_same(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, telling: str
) -> None:
    """It was taken again each time its lease ended, and its card said for ever that it runs."""

    def fail(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(runner, "context_of", fail)
    monkeypatch.setattr(runner, telling, fail)
    triages = Broken(sqlite_store, Break(0, ValueError()))
    incident_id = await queued(sqlite_store, Severity.SEV2)
    before = await asked_for(sqlite_store, incident_id)
    async with running(triages) as loop:
        await eventually(lambda: loop.liveness.faults["triage"] > 0)
        for _ in range(400):
            loop.waiting.ring()
            latest, runs, _ = await sqlite_store.read(lambda tx: seen(tx, incident_id))
            if latest.status is RunStatus.DONE:
                break
            await asyncio.sleep(0.02)
    assert latest.status is RunStatus.DONE
    assert (latest.reason == AGAIN) is (telling == "tell_triage"), (
        "it is tried again, where that can be stored"
    )
    assert not runs
    after = await asked_for(sqlite_store, incident_id)
    assert (after > before) is (telling == "tell_triage"), "its card is edited, where that can be asked for"


async def test_a_claim_that_fails_ends_no_triage_under_way(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked for a next one is another matter."""
    triages = Broken(sqlite_store, Break(0, ValueError()))
    begun, go, ended = asyncio.Event(), asyncio.Event(), list[str]()

    async def execute(run: TriageRun) -> TriageRun:
        begun.set()
        await go.wait()
        ended.append(run.reason)
        return run

    async def take(*, urgent: bool = False) -> TriageRun | None:
        raise ValueError(urgent)

    monkeypatch.setattr(triages, "execute", execute)
    await queued(sqlite_store, Severity.SEV2)
    async with running(triages) as loop:
        await begun.wait()
        monkeypatch.setattr(triages, "take", take)
        loop.waiting.ring()
        await eventually(lambda: loop.liveness.faults["triage"] > 0)
        go.set()
        await eventually(lambda: bool(ended))
    assert ended == ["opened"]
