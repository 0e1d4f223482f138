"""How a scenario goes: what the bot made of it, whether it was right, whether it is over. Decides, does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from demo.desk.scenarios.base import NOTHING, Scenario
from triage.model import Cause, IncidentStatus
from triage.plans.record import ActionRecord


class NotNow(Exception):
    """Something was asked for that cannot be now; the text says why, for a person."""


class Phase(StrEnum):
    """Where a scenario stands."""

    IDLE = "idle"
    """Not started since the desk was set up."""
    PENDING = "pending"
    """The cause is there; its alert has not reached the bot."""
    FIRED = "fired"
    """An alert of it is in Slack, and triage is under way."""
    TRIAGED = "triaged"
    """The verdict is there: it is a person's turn."""
    HEALING = "healing"
    """The cause is gone; its alerts have not ended."""
    CURED = "cured"
    """The cause is gone and its alerts have ended."""


@dataclass(frozen=True, slots=True)
class BotIncident:
    """One incident as the bot has it: its alert names, its latest verdict's causes, the best first.

    ``firing`` are the names that fire now; ``ts`` is its message in Slack, empty before it is posted.
    """

    id: int
    title: str
    status: IncidentStatus
    names: frozenset[str]
    firing: frozenset[str]
    triaged: bool
    causes: tuple[Cause, ...] = ()
    ts: str = ""

    @property
    def closed(self) -> bool:
        """Whether it is resolved."""
        return self.status is IncidentStatus.RESOLVED


@dataclass(frozen=True, slots=True)
class Observed:
    """What can be seen at a moment: the bot's incidents since the start, its actions, and the truth of the desk."""

    incidents: tuple[BotIncident, ...] = ()
    actions: tuple[ActionRecord, ...] = ()
    well_for: float | None = None
    """For how long the world has said that the cause is gone, in seconds of the desk's time; None: it is not."""


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """One run of a scenario. ``revealed``: somebody asked what happened before it was over."""

    scenario: Scenario
    started_at: datetime
    phase: Phase = Phase.PENDING
    revealed: bool = False
    seen: Observed = field(default_factory=Observed)

    @property
    def named(self) -> tuple[BotIncident, ...]:
        """The incidents that hold the scenario's first alert: others of it may come before the cause shows."""
        return tuple(one for one in self.seen.incidents if self.scenario.alerts[0] in one.names)

    @property
    def incident(self) -> BotIncident | None:
        """The first of them; the first whose verdict is right, where there are several."""
        right = [one for one in self.named if one.causes and one.causes[0].cause == self.scenario.cause]
        return next(iter(right or self.named), None)

    @property
    def firing(self) -> frozenset[str]:
        """The alerts of the scenario that fire. Its incident may outlive them: a Redis switched off is down."""
        fire = frozenset[str]().union(*(one.firing for one in self.named))
        return fire & frozenset(self.scenario.alerts)

    @property
    def open(self) -> bool:
        """Whether it still goes on."""
        return self.phase is not Phase.CURED

    @property
    def truth_shown(self) -> bool:
        """Whether the truth may be shown."""
        return self.revealed or not self.open


def advanced(run: ScenarioRun, seen: Observed) -> ScenarioRun:
    """Return the run as it stands now that ``seen`` is known. A phase is never taken back but from healing."""
    run = replace(run, seen=_judged_before_the_cure(run.seen, seen))
    incident = run.incident
    if run.phase is Phase.CURED or incident is None:
        return run
    triaged = incident.triaged or run.phase in {Phase.TRIAGED, Phase.HEALING}
    if seen.well_for is None:
        return replace(run, phase=Phase.TRIAGED if triaged else Phase.FIRED)
    return replace(run, phase=Phase.HEALING if _lingers(run, seen.well_for) else Phase.CURED)


def _judged_before_the_cure(before: Observed, seen: Observed) -> Observed:
    """Keep what triage said last while the cause was there: a triage of the cured desk rightly says that all is well."""
    if seen.well_for is None:
        return seen
    said = {one.id: one.causes for one in before.incidents if one.causes}
    kept = (replace(one, causes=said.get(one.id, one.causes)) for one in seen.incidents)
    return replace(seen, incidents=tuple(kept))


LINGERS_FOR = 1_800.0
"""Seconds after which only the first alert counts: a loss of the day, say, is told until the day ends."""


def _lingers(run: ScenarioRun, well_for: float) -> bool:
    return run.scenario.alerts[0] in run.firing or (bool(run.firing) and well_for < LINGERS_FOR)


@dataclass(frozen=True, slots=True)
class Assessment:
    """How the bot and its operator did. ``named`` is None before there is a verdict."""

    named: bool | None
    verdict: Cause | None
    used: tuple[str, ...]
    """The actions that ran, as ``kind on target``."""
    right: bool | None
    """Whether a remedy was among them; None: it cannot be said yet."""


def judged(run: ScenarioRun) -> Assessment:
    """Compare the verdict and the actions with the truth."""
    incident = run.incident
    verdict = incident.causes[0] if incident is not None and incident.causes else None
    ran = [one for one in run.seen.actions if one.status.ran]
    return Assessment(
        named=None if verdict is None else verdict.cause == run.scenario.cause,
        verdict=verdict,
        used=tuple(f"{one.kind} on {one.target}" for one in ran),
        right=_right(run, ran),
    )


def _right(run: ScenarioRun, ran: Sequence[ActionRecord]) -> bool | None:
    remedies = {(one.kind, one.target) for one in run.scenario.remedies}
    if any(kind == NOTHING for kind, _ in remedies):
        # Waiting is the cure here; to let a bot trade again in the end is no mistake.
        return all(one.kind == "resume" for one in ran) if run.phase is Phase.CURED else None
    return any((one.kind, one.target) in remedies for one in ran) if ran else None


FAST, BUSY, ACTING, REAL = 60.0, 20.0, 10.0, 1.0
SHOWS_WITHIN = timedelta(minutes=25)
"""For so long after an action time runs fast, to show whether it helps."""


def pace(run: ScenarioRun | None, now: datetime) -> float:
    """Return the speed of the desk's time: fast while a person could only wait, slow while something can be seen.

    Sixty times as fast while a scenario's alert is pending, after an action, and while alerts end; slower where the bot
    works.
    """
    if run is None:
        return REAL
    if run.phase is Phase.PENDING:
        return BUSY if run.seen.incidents else FAST
    ended = [one.finished_at for one in run.seen.actions if one.status.ran and one.finished_at is not None]
    shows = run.open and any(now - at < SHOWS_WITHIN for at in ended)
    return FAST if shows or run.phase is Phase.HEALING else REAL
