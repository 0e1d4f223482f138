"""Sorts stored signals into incidents: one pass over the inbox, in one transaction.

``correlate`` decides, ``intake_moves`` carries it out, ``intake_changes`` collects and writes. A pass that is killed leaves
the inbox as it was and is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.incidents import lifecycle
from triage.incidents.correlate import Move, Placement, going_on, place
from triage.incidents.correlation_state import EpisodeKey, read_state
from triage.incidents.episodes import signal_of
from triage.incidents.feedback import ask
from triage.incidents.intake_changes import Changes
from triage.incidents.intake_moves import Moves, TitleOf
from triage.incidents.naming import named_anew
from triage.incidents.prometheus_answer import NOTHING_SAID, PrometheusAnswer, may_be_early
from triage.incidents.shared_fingerprints import as_known
from triage.incidents.unsortable import tried_again
from triage.memory.degraded_mode import being_left, degraded_on
from triage.model import Episode, Incident, IncidentShape, Signal, TimelineKind
from triage.ports.store import StoredSignal, Tx

HELD = "; the incident stays open until degraded mode is left"
BEING_LEFT = "; the incident stays open until it is known whether the bots trade again"

BATCH = 300
"""Signals in one pass at the most: bounds how long the writer is held."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class IntakePass:
    """What one pass over the inbox did. ``more``: the inbox held more than one pass takes.

    ``asks``: Prometheus is to be asked first whether what resolves does; alerts that resolve were not sorted.
    """

    sorted: int = 0
    opened: list[Incident] = field(default_factory=list)
    more: bool = False
    asks: bool = False


@dataclass(slots=True)
class Intake:
    """Sorts the inbox for one desk."""

    desk: Desk
    title_of: TitleOf

    def sort_inbox(
        self,
        tx: Tx,
        now: datetime,
        *,
        limit: int = BATCH,
        answer: PrometheusAnswer | None = NOTHING_SAID,
        enough: Callable[[], bool] = _never,
    ) -> IntakePass:
        """Sort up to ``limit`` stored signals into incidents.

        ``answer``: what Prometheus says of what resolves; None: it is to be asked first where something does.
        ``enough``: whether others have waited for long enough; what is left then is sorted by the next pass.
        """
        tx.exclusive("correlate")  # two replicas must not both open the incident of one signal
        inbox = tx.signals.inbox(limit)
        if not inbox:
            return IntakePass()
        asked = {one.signal.fingerprint for one in inbox if answer is None and may_be_early(one.signal)}
        ready = [one for one in inbox if one.signal.fingerprint not in asked]
        done = self._sort(tx, ready, now, answer or NOTHING_SAID, enough) if ready else IntakePass()
        return replace(done, more=len(inbox) == limit or done.sorted < len(ready), asks=bool(asked))

    def sort_one(self, tx: Tx, signal_id: int, now: datetime) -> IntakePass:
        """Sort one signal, where nobody did so meanwhile."""
        tx.exclusive("correlate")
        stored = tx.signals.waiting_one(signal_id)
        return IntakePass() if stored is None else self._sort(tx, [stored], now)

    def _sort(
        self,
        tx: Tx,
        inbox: list[StoredSignal],
        now: datetime,
        answer: PrometheusAnswer = NOTHING_SAID,
        enough: Callable[[], bool] = _never,
    ) -> IntakePass:
        changes = Changes(tx, read_state(tx, inbox, self.desk, now), now)
        moves = Moves(self.desk, self.title_of, changes)
        sorting = _Sorting(self.desk, moves, changes, answer)
        for stored in inbox:
            sorting.sort(stored)
            if enough():
                break
        sorting.finish()
        return IntakePass(len(changes.outcomes), changes.opened)


@dataclass(slots=True)
class _Sorting:
    """One pass: each signal placed, then what follows for the incidents that were touched."""

    desk: Desk
    moves: Moves
    changes: Changes
    answer: PrometheusAnswer

    def sort(self, stored: StoredSignal) -> None:
        """Place one signal and apply the decision."""
        changes = self.changes
        signal = as_known(stored.signal, self._known)
        placement = self._tried_again(stored) or place(
            changes.state, signal, self.desk.correlation, changes.now
        )
        if placement.move is Move.CLEAR and (why := self.answer.against(signal)):
            placement = self.moves.keep_firing(signal, placement, why)
        incident = self.moves.apply(signal, placement)
        outcome = f"{placement.move}: {placement.why}"
        changes.outcomes.append((stored.id, incident.id if incident is not None else None, outcome))

    def _known(self, key: EpisodeKey, *, asked: bool) -> Episode | None:
        """Find an episode in what was read; in the store where it was not ``asked`` for it."""
        episodes = self.changes.state.episodes
        if key not in episodes and not asked:
            for found in self.changes.tx.incidents.episodes_named([key]):
                episodes[key] = found
        return episodes.get(key)

    def _tried_again(self, stored: StoredSignal) -> Placement | None:
        state = self.changes.state
        if stored.incident_id is None or (stored.signal.source, stored.signal.episode) in state.episodes:
            return None
        return tried_again(stored, state.incidents.get(stored.incident_id))

    def finish(self) -> None:
        """Resolve what has nothing firing any more, tell what changed, ask for triage."""
        changes = self.changes
        changes.write_outcomes()
        changes.touch_storms()
        changes.storm = going_on(changes.state, self.desk.correlation, changes.now)
        for incident_id in changes.touched:
            changes.write_incident(self._renamed(self._end(changes.state.incidents[incident_id])))
        changes.write_lines()
        for incident_id, (reason, at_once) in changes.triage.items():
            if changes.state.incidents[incident_id].is_open:
                begin = changes.now if at_once else self._rested(incident_id)
                changes.tx.runs.queue(incident_id, reason, changes.now, not_before=begin)

    def _end(self, incident: Incident) -> Incident:
        """Note what cleared, and resolve the incident when that was the last of it."""
        changes = self.changes
        cleared = changes.cleared.get(incident.id, [])
        over = bool(cleared) and incident.is_open and changes.tx.incidents.counts(incident.id)[0] == 0
        held = self._held(incident) if over else ""
        over = over and not held
        silent = over or incident.quiet or incident.shape is IncidentShape.STORM
        for text, signal in cleared:
            in_thread = not silent and not self._fires_on(incident, signal)
            changes.note(incident, TimelineKind.CLEARED, f"{text}{held}", signal, in_thread=in_thread)
        change = lifecycle.resolve(incident, now=changes.now) if over else None
        if change is None:
            return incident
        changes.change(incident)
        changes.state.put(change.incident)
        changes.tell(replace(change.entry, in_thread=not changes.ends_in_storm(change.incident)))
        ask(changes.tx, change.incident, changes.now)
        changes.audit("incident.resolve", change.incident)
        return change.incident

    def _held(self, incident: Incident) -> str:
        """Say why an incident is not over with its alerts, empty where it is."""
        if degraded_on(self.changes.tx, incident.id):
            return HELD
        return BEING_LEFT if being_left(self.changes.tx, incident.id) else ""

    def _fires_on(self, incident: Incident, signal: Signal) -> bool:
        """Whether another episode of the same alert fires: who reads that it resolved would take it for over."""
        alike = self.changes.tx.incidents.episodes_of(incident.id, signal.name, signal.subject)
        return any(one.firing for one in alike)

    def _renamed(self, incident: Incident) -> Incident:
        """Return the incident called after the gravest alert that fires: one that cleared names it no more."""
        rooted = incident.shape is IncidentShape.WIDE and self.changes.state.needed(incident.subject)
        if (incident.shape is not IncidentShape.SINGLE and not rooted) or self.changes.has_one_signal(
            incident
        ):
            return incident
        episodes = self.changes.tx.incidents.episodes([incident.id])
        if rooted:  # what the others need names it, whatever they show themselves
            episodes = [one for one in episodes if one.subject == incident.subject]
        best = named_anew(incident, episodes)
        if best is None:
            return incident
        self.changes.change(incident)
        return self.moves.led_by(incident, signal_of(best))

    def _rested(self, incident_id: int) -> datetime:
        """Return when an incident may be triaged again: not each time that something joins or comes back."""
        now = self.changes.now
        last = self.changes.tx.runs.latest(incident_id)
        if last is None:
            return now
        rest = timedelta(seconds=self.desk.triage.again_after_seconds)
        return max(now, (last.started_at or last.requested_at) + rest)
