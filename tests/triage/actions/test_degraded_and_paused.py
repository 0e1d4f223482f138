"""Degraded mode with bots that stay paused, through the engine, the store and the message: never called recovered."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.slack.blocks.action import action_message
from bot.store import SqlStore, open_store
from tests.bot.slack.blocks.samples import incident
from tests.fakes.sources import FakeSources, sample
from tests.schema import with_schema
from tests.triage.actions.bench import REASON
from tests.triage.actions.test_engine import Gate, desktop_on, until
from triage.actions.context import ActionServices
from triage.actions.engine import ActionEngine
from triage.actions.outcome_check import waits_for_trading, watch_for_trading
from triage.actions.view import view_action
from triage.errors import SourceUnreachable
from triage.incidents.notifications import tell_card
from triage.model import Incident, IncidentStatus, Subject, SubjectKind
from triage.plans.record import ActionRecord
from triage.plans.verification import VerificationOutcome
from triage.ports.minutes import NewestMinute
from triage.ports.sources import Sample
from triage.ports.store import Tx

pytestmark = pytest.mark.slow

LEFT = "the external services stay stopped until degraded mode is left"
PAUSED = (
    "bot1, bot3 still paused: bus outage, come back when Redis and the external services work again; " + LEFT
)
STATES = ("running", "soft_pause", "hard_stop")


@dataclass
class Files:
    """The bots' own files: all bots in one state, the newest minute so many seconds after now."""

    services: ActionServices
    state: str
    reasons: tuple[str, ...] = ("bus_outage",)
    later: float = 1.0
    asked: list[str] = field(default_factory=list)

    async def minute(self, bot: str) -> NewestMinute | None:
        """Return the newest minute."""
        self.asked.append(bot)
        at = self.services.clock.now() + timedelta(seconds=self.later)
        return NewestMinute(at, self.state, self.reasons)


def measured(sources: FakeSources, state: str, reasons: str, *, age: float = 0.0) -> None:
    """Let Prometheus know all three bots in one state, by snapshots of that age in seconds."""
    found: list[Sample] = []
    for bot in ("bot1", "bot2", "bot3"):
        found += [sample(float(state == one), "hbot_bot_state", bot=bot, state=one) for one in STATES]
        found.append(sample(1.0, "hbot_bot_risk_reasons_info", bot=bot, reasons=reasons))
    sources.metrics.answers = {
        "__name__": found,
        "time()": [sample(age, bot=bot) for bot in ("bot1", "bot2", "bot3")],
    }


async def degraded_on(
    store: SqlStore, services: ActionServices, sources: FakeSources, proposed: asyncio.Event | None = None
) -> tuple[ActionRecord, Incident, str]:
    """Enter degraded mode for an incident, have it verified, and return both with what the message says."""
    env = services.desk.paths.env
    assert env is not None
    env.parent.mkdir(parents=True)
    env.write_text("EXT_SIGNAL_RISK_ENABLED=true\nBUS_SOFT_PAUSE_ON_OUTAGE=true\n")
    sources.streams.state = replace(sources.streams.state, role="slave")
    gate = Gate(services)
    gate.open.set()
    engine = ActionEngine(services, "one", lambda: None, gate)
    desk_wide = incident(id=0, subjects=(Subject(SubjectKind.DESK, "desk"),))

    def opened(tx: Tx) -> Incident:
        saved = tx.incidents.save(desk_wide)
        tell_card(tx, saved, services.clock.now())
        return saved

    about = await store.write(opened)
    record = await engine.propose("degraded_mode", "desk", by="U1", why="test")
    await store.write(lambda tx: tx.actions.save(replace(record, incident_id=about.id)))
    if proposed is not None:
        proposed.set()
    prepared = await engine.prepare(record.handle)
    assert prepared.plan is not None, prepared.blocked
    await engine.confirm(record.handle, digest=prepared.plan.digest, actor="U1", reason=REASON)
    loop = asyncio.create_task(engine.run(alone=True))
    try:
        ended = await until(store, record.id, lambda one: one.verification is not None and not one.verify_at)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    view = await store.read(lambda tx: view_action(tx, ended.id))
    assert view is not None
    shown = json.dumps(action_message(view, services.clock.now(), str).blocks, ensure_ascii=False)
    kept = await store.read(lambda tx: tx.incidents.get(about.id))
    assert kept is not None
    return ended, kept, shown


def said(record: ActionRecord) -> tuple[VerificationOutcome, str, Mapping[str, str]]:
    """Return the outcome, why, and the bots' rows."""
    assert record.verification is not None
    rows = {row.name: row.after for row in record.verification.rows if row.name.startswith("Bot bot")}
    return record.verification.outcome, record.verification.why, rows


async def test_bots_that_stay_paused_are_said_so_and_nothing_is_mitigated(tmp_path: Path) -> None:
    """Prometheus knows the pauses: the message says why, and what brings them back."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        measured(sources, "soft_pause", "bus_outage")
        ended, about, shown = await degraded_on(store, services, sources)
    outcome, why, rows = said(ended)
    assert (outcome, why) == (VerificationOutcome.EFFECTIVE, PAUSED)
    assert set(rows.values()) == {"paused (bus outage)"}
    assert about.status is IncidentStatus.TRIGGERED
    assert "did what it should, trading is not back" in shown
    assert PAUSED in shown
    assert "recovered" not in shown


async def test_the_bots_own_files_tell_it_while_prometheus_is_away(tmp_path: Path) -> None:
    """The same, read from minute.csv, and the rows name where."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        sources.metrics.error = SourceUnreachable("Prometheus", "refused")
        files = Files(services, "soft_pause")
        ended, about, shown = await degraded_on(store, replace(services, minutes=files), sources)
    outcome, why, rows = said(ended)
    assert (outcome, why) == (VerificationOutcome.EFFECTIVE, PAUSED)
    assert set(rows.values()) == {"paused (bus outage), from minute.csv"}
    assert about.status is IncidentStatus.TRIGGERED
    assert "recovered" not in shown


@pytest.mark.parametrize("later", [-60.0, -600.0])
async def test_what_a_bot_wrote_before_the_end_is_no_recovery(tmp_path: Path, later: float) -> None:
    """It ran a minute ago, and nothing was reported of it since: not known, never recovered."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        sources.metrics.error = SourceUnreachable("Prometheus", "refused")
        files = Files(services, "running", (), later=later)
        ended, about, shown = await degraded_on(store, replace(services, minutes=files), sources)
    outcome, why, rows = said(ended)
    assert outcome is VerificationOutcome.INCONCLUSIVE
    assert "bot1: state unknown: refused" in why
    assert all("unknown" in row for row in rows.values())
    assert about.status is IncidentStatus.TRIGGERED
    assert "recovered" not in shown


async def test_a_snapshot_from_before_the_end_is_no_recovery(tmp_path: Path) -> None:
    """Prometheus shows all bots running as of two minutes ago, before the first step: that says nothing."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        measured(sources, "running", "none", age=120)
        ended, about, shown = await degraded_on(store, services, sources)
    outcome, why, rows = said(ended)
    assert outcome is VerificationOutcome.INCONCLUSIVE
    assert "bot1: state unknown: its newest numbers are from before the action's end" in why
    assert all("before the action's end" in row for row in rows.values())
    assert about.status is IncidentStatus.TRIGGERED
    assert "trade again" not in shown


async def test_trading_that_comes_back_later_is_told_once(tmp_path: Path) -> None:
    """The verification ended with paused bots; an hour on they run: message and incident say so, one time."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        measured(sources, "soft_pause", "edge_gate_blocked")
        ended, about, shown = await degraded_on(store, services, sources)
        assert "come back by themselves, with the market" in shown
        assert not await watch_for_trading(services), "they stand as before"
        measured(sources, "running", "none")
        told = [await watch_for_trading(services) for _ in range(3)]
        view = await store.read(lambda tx: view_action(tx, ended.id))
        entries = await store.read(lambda tx: tx.timeline.of(about.id))
        kept = await store.read(lambda tx: tx.incidents.get(about.id))
    assert told == [True, False, False]
    assert view is not None
    after = json.dumps(action_message(view, services.clock.now(), str).blocks, ensure_ascii=False)
    assert f"bot1, bot3 trade again; bot2 runs again; {LEFT}, seen " in after
    assert "trading is not back" not in after
    assert kept is not None
    assert kept.status is IncidentStatus.MITIGATED
    lines = [one.text for one in entries if "trade again" in one.text]
    assert len(lines) == 1
    assert lines[0].startswith(
        "Degraded mode, once more: did what it should, the bots trade: bot1, bot3 trade"
    )


async def test_only_for_so_long_and_never_what_was_asked_to_stand(tmp_path: Path) -> None:
    """After the time that desk.yaml gives nobody looks any more; a pause on purpose is not waited for."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        measured(sources, "soft_pause", "bus_outage")
        ended, _, _ = await degraded_on(store, services, sources)
    now = services.clock.now()
    assert waits_for_trading(ended, now, seconds=60)
    assert not waits_for_trading(ended, now + timedelta(seconds=90), seconds=60)
    assert not waits_for_trading(replace(ended, kind="soft_pause"), now, seconds=60)
    assert not waits_for_trading(replace(ended, verify_at=now), now, seconds=60)


async def test_nothing_is_said_for_good_while_it_is_still_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that has only just come up is looked at again; what it says then is the last word."""
    monkeypatch.setattr("triage.actions.completion.LOOK_AGAIN_SECONDS", 0.1)
    interim: list[str] = []
    proposed = asyncio.Event()

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        patient = services.desk.triage.model_copy(update={"health_watch_seconds": 30.0})
        services = replace(services, desk=services.desk.model_copy(update={"triage": patient}))
        measured(sources, "soft_pause", "edge_gate_blocked")

        async def come_back() -> None:
            def looked(record: ActionRecord) -> bool:
                return record.verification is not None

            await asyncio.wait_for(proposed.wait(), 20)
            record = await until(store, 1, looked)
            view = await store.read(lambda tx: view_action(tx, record.id))
            assert view is not None
            message = action_message(view, services.clock.now(), str)
            interim.append(message.text + json.dumps(message.blocks, ensure_ascii=False))
            measured(sources, "running", "none")

        watcher = asyncio.create_task(come_back())
        ended, about, shown = await degraded_on(store, services, sources, proposed)
        await watcher
    assert "Not well yet, looked at again until" in interim[0]
    assert "Verified" not in interim[0]
    assert "trading is not back" not in interim[0]
    assert said(ended)[0] is VerificationOutcome.EFFECTIVE, "trading is back, Redis is not"
    assert about.status is IncidentStatus.MITIGATED
    assert "Verified: did what it should, the bots trade" in shown
    assert "recovered" not in shown
