"""Starts scenarios, watches what the bot makes of them, and sets the speed of the desk's time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loguru import logger

from demo.desk.scenarios import SCENARIOS
from demo.progress import (
    ACTING,
    FAST,
    REAL,
    BotIncident,
    NotNow,
    Observed,
    Phase,
    ScenarioRun,
    advanced,
    pace,
)
from triage.errors import StoreUnavailable
from triage.model import RunStatus
from triage.plans.record import ActionStatus
from triage.ports.store import MessageKind

if TYPE_CHECKING:
    from demo.running import RunningDemo
    from triage.model import Episode, Incident
    from triage.ports.store import Tx

LOOK_SECONDS = 0.2
WELL_FOR = 45.0
"""Seconds of the desk's time for which the cause must be gone: a container between two deaths looks well too."""
SKIP = 600.0
SPEEDS = (1.0, 10.0, 60.0)
AUTO = 0.0
"""Instead of a speed: the runner chooses."""
HEALS_WITHIN = 5_400.0
"""Seconds of the desk's time after which fast-forward gives up on alerts that do not end."""


@dataclass(slots=True)
class WantedSpeed:
    """What speed is wanted: one chosen by hand or AUTO, and a stretch to skip (until that desk time)."""

    chosen: float = AUTO
    skip_until: float = 0.0


class ScenarioRunner:
    """Runs scenarios on one desk. ``fixed``: time runs at 1, because real servers share it."""

    def __init__(self, demo: RunningDemo, *, fixed: bool = False) -> None:
        self.demo, self.fixed = demo, fixed
        self.runs: dict[str, ScenarioRun] = {}
        self.pace = WantedSpeed()
        self._well_since: float | None = None
        self._healing_since: float | None = None
        self._acting = False

    @property
    def now(self) -> datetime:
        """The desk's present."""
        return datetime.fromtimestamp(self.demo.clock.now(), UTC)

    @property
    def current(self) -> ScenarioRun | None:
        """The scenario that goes on, if any."""
        return next((run for run in self.runs.values() if run.open), None)

    def start(self, name: str) -> ScenarioRun:
        """Start a scenario. Raises KeyError for an unknown one, NotNow while another goes on."""
        scenario = SCENARIOS[name]
        if self.current is not None:
            raise NotNow(
                f"“{self.current.scenario.title}” still goes on: bring it to its end, or reset the desk."
            )
        self.demo.desk.catch_up()
        run = self.runs[name] = ScenarioRun(scenario, self.now)
        self._well_since = self._healing_since = None
        self.demo.desk.world.calm_markets()
        scenario.start(self.demo.desk.world)
        logger.info("scenario {name} started", name=name)
        self.set_pace()
        return run

    def reveal(self, name: str) -> None:
        """Show the truth of a scenario before its end. Raises NotNow for one that was not started."""
        if name not in self.runs:
            raise NotNow("This scenario has not been started.")
        self.runs[name] = replace(self.runs[name], revealed=True)

    def choose(self, speed: float) -> None:
        """Set the speed by hand, or AUTO. Raises NotNow for one that cannot be."""
        if self.fixed:
            raise NotNow("Time runs at real speed here: real servers share it.")
        if speed not in (AUTO, *SPEEDS):
            raise NotNow(
                f"{speed:g} is no speed: take one of {', '.join(f'{one:g}' for one in SPEEDS)}, or 0 for auto."
            )
        self.pace = WantedSpeed(chosen=speed)
        self.set_pace()

    def skip(self) -> None:
        """Run fast through the next ten minutes. Raises NotNow where time cannot be changed."""
        if self.fixed:
            raise NotNow("Time runs at real speed here: real servers share it.")
        self.pace.skip_until = max(self.pace.skip_until, self.demo.clock.now()) + SKIP
        self.set_pace()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._look()
            except StoreUnavailable as error:
                logger.warning("the scenario runner cannot read the store: {error}", error=error)
            self.set_pace()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        """See what became of the scenario that goes on, and whether an action runs."""
        run = self.current
        since = run.started_at if run is not None else self.now
        seen, self._acting = await self.demo.store.read(lambda tx: (_seen(tx, since), _acting(tx)))
        if run is None:
            return
        name, before = run.scenario.name, run.phase
        run = advanced(self.runs[name], replace(seen, well_for=self._well_for(run)))
        self.runs[name] = run
        if run.phase is not before:
            logger.info("scenario {name} is {phase}", name=name, phase=run.phase)
            self._healing_since = self.demo.clock.now() if run.phase is Phase.HEALING else None

    def _well_for(self, run: ScenarioRun) -> float | None:
        """For how long the cause has been gone, None while that is not sure; asked once the symptoms are there."""
        if run.phase is Phase.PENDING or not run.scenario.cured(self.demo.desk.world):
            self._well_since = None
            return None
        now = self.demo.clock.now()
        self._well_since = self._well_since if self._well_since is not None else now
        passed = now - self._well_since - WELL_FOR
        return passed if passed >= 0 else None

    def set_pace(self) -> None:
        """Let time run as it should now. A running action never sees more than ten times its own time."""
        if self.fixed:
            return
        clock = self.demo.clock
        wanted = pace(self.current, self.now)
        if self._healing_since is not None and clock.now() - self._healing_since > HEALS_WITHIN:
            wanted = REAL
        if clock.now() < self.pace.skip_until:
            wanted = FAST
        elif self.pace.chosen:
            wanted = self.pace.chosen
        if self._acting:
            wanted = min(ACTING, self.pace.chosen or ACTING)
        if clock.speed != wanted:
            clock.speed = wanted


def _seen(tx: Tx, since: datetime) -> Observed:
    """Read what the bot has made of it."""
    incidents = [one for one in tx.incidents.recent(since) if one.opened_at >= since or one.is_open]
    episodes = tx.incidents.episodes([one.id for one in incidents])
    actions = [one for one in tx.actions.recent() if one.proposed_at >= since]
    return Observed(
        tuple(
            _bot_incident(tx, one, [each for each in episodes if each.incident_id == one.id])
            for one in incidents
        ),
        tuple(sorted(actions, key=lambda one: one.id)),
    )


def _acting(tx: Tx) -> bool:
    """Whether an action runs, or is about to, or its verification is awaited."""
    under_way = {ActionStatus.CONFIRMED, ActionStatus.RUNNING}
    return any(one.status in under_way or one.verify_at is not None for one in tx.actions.recent())


def _bot_incident(tx: Tx, incident: Incident, episodes: Sequence[Episode]) -> BotIncident:
    run = tx.runs.latest(incident.id, RunStatus.DONE)
    message = tx.outbox.find(MessageKind.CARD, str(incident.id))
    return BotIncident(
        incident.id,
        incident.title,
        incident.status,
        names=frozenset(each.name for each in episodes),
        firing=frozenset(each.name for each in episodes if each.firing),
        triaged=run is not None,
        causes=run.verdict.causes if run is not None and run.verdict is not None else (),
        ts=message.post_id if message is not None else "",
    )
