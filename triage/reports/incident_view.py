"""What a reader of an incident is shown, gathered from one snapshot of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from triage.actions.catalogue import action_title
from triage.actions.degraded import Degraded, degraded, redis_came_back
from triage.actions.view import last_of, offers_of, recovered_at, taken_of
from triage.diagnosis.strength import believed
from triage.drill_alert import ALERTNAME as DRILL
from triage.incidents.traits import CAUSE
from triage.model import (
    Episode,
    Incident,
    IncidentStatus,
    RunStatus,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
    TriageRun,
)
from triage.plans.plan import DESK
from triage.plans.record import ActionRecord, ActionStatus
from triage.ports.store import Tx
from triage.signals.trading import Trading, load_trading


@dataclass(frozen=True, slots=True)
class Offer:
    """An action that a button offers: ``handle`` is the opaque id the button carries."""

    kind: str
    target: str
    handle: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An action that one person confirmed and that waits for another one; ``handle`` is their button's."""

    kind: str
    target: str
    handle: str
    by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """Where to look further; an empty one is not shown."""

    grafana: str = ""
    prometheus: str = ""
    logs: str = ""
    alertmanager: str = ""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with everything its message shows.

    ``episodes`` are those worth showing, in the order they began, ``tallies`` say by alert name how many
    there are and how many of them fire; ``run`` the newest finished triage, ``running`` whether one is
    under way; ``offers`` the actions that can be pressed, the best first; ``waiting`` those that wait for a second
    person; ``under_way`` what runs now, ``done`` how the last action ended, in words; ``degraded`` the degraded mode
    that is on, ``redis_well`` whether Redis is seen to be well again since; ``actions_taken`` one line an action, for
    the resolved form; ``trading`` how the bots stand, ``daily_loss`` by bot the loss of the day that is allowed, as a
    fraction; ``as_in`` the number of an older incident, open still, that has the same cause, empty where there is none;
    ``recovered_at`` when it was seen that the last action helped, None where it did not.
    """

    incident: Incident
    handle: str
    episodes: tuple[Episode, ...]
    run: TriageRun | None = None
    running: bool = False
    offers: tuple[Offer, ...] = ()
    links: Links = field(default_factory=Links)
    degraded: Degraded | None = None
    actions_taken: tuple[str, ...] = ()
    silenced_until: datetime | None = None
    other_bots: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    tallies: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    trading: Trading | None = None
    daily_loss: Mapping[str, float] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    under_way: tuple[str, ...] = ()
    done: str = ""
    redis_well: bool = False
    as_in: str = ""
    recovered_at: datetime | None = None

    @property
    def is_drill(self) -> bool:
        """Whether it is the controlled alert test: nothing is wrong, and there is nothing to do."""
        return self.incident.name == DRILL

    @property
    def remedy(self) -> Offer | None:
        """The one thing to do: the best offer that a believed cause proposes; None where no button is it."""
        verdict = self.run.verdict if self.run is not None else None
        causes = verdict.causes if verdict is not None and not (self.mended or self.left_open) else ()
        wanted = [
            (action.kind, action.target) for cause in causes if believed(cause) for action in cause.actions
        ]
        if self.held_open or (self.redis_well and (self.owns_degraded or self.nothing_to_mend)):
            wanted.insert(0, WAY_OUT)
        offered = {(one.kind, one.target): one for one in self.offers}
        return next((offered[each] for each in wanted if each in offered), None)

    @property
    def mended(self) -> bool:
        """Whether an action helped after the newest triage: what that proposes is of before, and only alerts are left."""
        if self.recovered_at is None or self.incident.status is not IncidentStatus.MITIGATED:
            return False
        looked = self.run.finished_at if self.run is not None else None
        return self.degraded is None and (looked is None or looked < self.recovered_at)

    @property
    def owns_degraded(self) -> bool:
        """Whether the degraded mode that is on was entered on this incident."""
        return self.degraded is not None and self.degraded.incident_id == self.incident.id

    @property
    def held_open(self) -> bool:
        """Whether it is open only because degraded mode is on still: its alerts are over."""
        return self.owns_degraded and self._alerts_over

    @property
    def left_open(self) -> bool:
        """Whether it is open only because it was not seen that the bots trade since degraded mode was left."""
        return self.degraded is None and self._alerts_over

    @property
    def _alerts_over(self) -> bool:
        alerts = any(not episode.is_event for episode in self.episodes)
        return self.incident.is_open and alerts and not self.firing

    @property
    def nothing_to_mend(self) -> bool:
        """Whether its triage names nothing to be done: no cause is believed, or nothing is wrong on what was looked at."""
        top = self.run.verdict.top if self.run is not None else None
        return top is None or not believed(top) or top.cause == NOTHING_WRONG

    @property
    def way_out(self) -> Offer | None:
        """The way out of degraded mode where it can be asked for and is not the one thing to do."""
        found = next((one for one in self.offers if (one.kind, one.target) == WAY_OUT), None)
        return found if found != self.remedy else None

    @property
    def firing(self) -> int:
        """How many alerts fire now."""
        if self.tallies:
            return sum(firing for _, firing in self.tallies.values())
        return sum(episode.firing and not episode.is_event for episode in self.episodes)


def view_incident(tx: Tx, incident: Incident, *, all_bots: tuple[str, ...] = ()) -> IncidentView:
    """Gather the view of an incident. ``all_bots``: the desk's bots, to name the ones it does not touch."""
    newest = tx.runs.latest(incident.id)
    finished = newest is None or newest.status is RunStatus.DONE
    done = newest if finished else tx.runs.latest(incident.id, RunStatus.DONE)
    touched = set(incident.names(SubjectKind.BOT))
    actions, drill = tx.actions.of_incident(incident.id), incident.name == DRILL
    mode = None if drill else degraded(tx)
    return IncidentView(
        incident=incident,
        handle=tx.incidents.handle(incident.id),
        episodes=tuple(tx.incidents.notable_episodes(incident.id)),
        tallies=tx.incidents.tally(incident.id),
        run=done,
        running=newest is not None
        and (newest.status is RunStatus.RUNNING or (newest.status is RunStatus.QUEUED and done is None)),
        offers=_offers(offers_of(tx, actions), done) if incident.is_open and not drill else (),
        degraded=mode,
        actions_taken=taken_of(tx, actions),
        silenced_until=_silenced_until(tx.timeline.of(incident.id, TimelineKind.SILENCED)),
        other_bots=tuple(bot for bot in all_bots if bot not in touched),
        trading=load_trading(tx),
        waiting=tuple(_waiting(one) for one in actions if one.awaits_second) if incident.is_open else (),
        under_way=tuple(action_title(one.kind, one.target) for one in actions if one.status in _UNDER_WAY),
        done=last_of(tx, actions),
        redis_well=mode is not None and redis_came_back(tx),
        recovered_at=recovered_at(actions),
        as_in=_as_in(tx, incident, done) if incident.is_open and not drill else "",
    )


WAY_OUT = ("exit_degraded_mode", DESK)
"""Kind and target of the way out of degraded mode."""
NOTHING_WRONG = "nothing_is_wrong"
LOOKED_AT = 12
"""Incidents with the same cause that are looked at: the newest."""
_UNDER_WAY = frozenset({ActionStatus.CONFIRMED, ActionStatus.RUNNING})


def _as_in(tx: Tx, incident: Incident, run: TriageRun | None) -> str:
    """Return the oldest incident that is open still and has the same cause: who is woken twice knows that it is one."""
    top = run.verdict.top if run is not None else None
    if top is None or not believed(top):
        return ""
    older = (
        tx.incidents.get(one) for one in tx.answers.having(f"{CAUSE}{top.cause}", incident.id, LOOKED_AT)
    )
    return next((one.number for one in reversed([*older]) if one is not None and one.is_open), "")


def _offers(records: Sequence[ActionRecord], run: TriageRun | None) -> tuple[Offer, ...]:
    """Return what can be pressed in the order of the newest verdict; what it does not propose comes last."""
    proposed = [(one.kind, one.target) for one in run.verdict.actions] if run is not None else []

    def rank(record: ActionRecord) -> int:
        place = (record.kind, record.target)
        return proposed.index(place) if place in proposed else len(proposed)

    free = sorted((one for one in records if not one.awaits_second), key=rank)
    return tuple(Offer(one.kind, one.target, one.handle, one.why) for one in free)


def _waiting(record: ActionRecord) -> Waiting:
    first = record.confirmations[-1]
    return Waiting(
        kind=record.kind,
        target=record.target,
        handle=record.handle,
        by=first.actor,
        at=first.at,
        until=record.expires_at,
    )


def _silenced_until(entries: list[TimelineEntry]) -> datetime | None:
    ends = [datetime.fromisoformat(str(entry.data["until"])) for entry in entries if "until" in entry.data]
    return max(ends, default=None)
