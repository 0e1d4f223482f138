"""Sorts stored signals into incidents: one pass over the inbox, in one transaction.

``correlate`` decides; this applies. A pass that is killed leaves the inbox as it was and is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.incidents import lifecycle
from triage.incidents.alerts import NOTE
from triage.incidents.aside import episode_of_signal, tried_again
from triage.incidents.correlate import Board, EpisodeKey, Move, Placement, place
from triage.incidents.notifications import ALOUD, tell_card, tell_line
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    IncidentStatus,
    Signal,
    SignalStatus,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
)
from triage.ports.store import StoredSignal, Tx
from triage.signals.timeline import recall_changes

BATCH = 300
"""Signals in one pass: bounds how long the writer is held."""

BOARD = 2_000
"""Incidents that a pass looks at, the newest ones."""

TitleOf = Callable[[Signal], str]
"""Says in a few words what is wrong: ``bot1 hard_stop: drawdown limit``."""


@dataclass(slots=True)
class Pass:
    """What one pass over the inbox did. ``more``: the inbox held more than one pass takes."""

    sorted: int = 0
    opened: list[Incident] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class Intake:
    """Sorts the inbox for one desk."""

    desk: Desk
    title_of: TitleOf

    def sort_inbox(self, tx: Tx, now: datetime, *, limit: int = BATCH) -> Pass:
        """Sort up to ``limit`` stored signals into incidents."""
        tx.exclusive("correlate")  # two replicas must not both open the incident of one signal
        inbox = tx.signals.inbox(limit)
        if not inbox:
            return Pass()
        return replace(self._sort(tx, inbox, now), more=len(inbox) == limit)

    def sort_one(self, tx: Tx, signal_id: int, now: datetime) -> Pass:
        """Sort one signal, where nobody did so meanwhile."""
        tx.exclusive("correlate")
        stored = tx.signals.waiting_one(signal_id)
        return Pass() if stored is None else self._sort(tx, [stored], now)

    def _sort(self, tx: Tx, inbox: list[StoredSignal], now: datetime) -> Pass:
        sorting = _Sorting(self, tx, now, _board(tx, inbox, self.desk, now))
        for stored in inbox:
            sorting.sort(stored)
        sorting.finish()
        return Pass(len(inbox), sorting.opened)


def _board(tx: Tx, inbox: list[StoredSignal], desk: Desk, now: datetime) -> Board:
    look_back = max(desk.correlation.reopen_within_seconds, desk.correlation.storm_window_seconds)
    incidents = tx.incidents.recent(now - timedelta(seconds=look_back), BOARD)
    keys = {(stored.signal.source, stored.signal.episode) for stored in inbox}
    ending = {stored.signal.fingerprint for stored in inbox if stored.signal.status is SignalStatus.RESOLVED}
    named = tx.incidents.episodes_named(keys)
    episodes = [*named, *tx.incidents.firing_of(ending - {""})]
    known = {(episode.source, episode.episode) for episode in episodes}
    have = {incident.id for incident in incidents}
    named_by = {episode.incident_id for episode in episodes}
    shown_in = {stored.incident_id for stored in inbox if stored.incident_id is not None}
    missing = [tx.incidents.get(one) for one in (named_by | shown_in) - have]
    incidents += [incident for incident in missing if incident is not None]
    return Board.of(
        incidents,
        names=tx.incidents.names([incident.id for incident in incidents]),
        episodes=episodes,
        ended=tx.signals.ended(keys - known),
        needs=_needs(desk),
    )


def _needs(desk: Desk) -> dict[Subject, Subject]:
    """Return what cannot work without what: the external services without their Redis."""
    redis = Subject(SubjectKind.CONTAINER, desk.container_of("redis"))
    services = (desk.container_of(service) for service in desk.compose.external_services)
    return {
        Subject(SubjectKind.CONTAINER, container): redis for container in services if container != redis.name
    }


class _Sorting:
    """One pass: what it has decided so far."""

    def __init__(self, intake: Intake, tx: Tx, now: datetime, board: Board) -> None:
        self.intake = intake
        self.tx = tx
        self.now = now
        self.board = board
        self.opened: list[Incident] = []
        self._outcomes: list[tuple[int, int | None, str]] = []
        self._touched: dict[int, None] = {}  # in the order in which they were touched
        self._cleared: dict[int, list[tuple[str, Signal]]] = {}
        # Written together at the end of the pass: a storm brings hundreds of them.
        self._changed: dict[int, None] = {}
        self._episodes: dict[EpisodeKey, Episode] = {}
        self._lines: list[TimelineEntry] = []
        self._retriage: dict[int, str] = {}

    def sort(self, stored: StoredSignal) -> None:
        """Place one signal and apply the decision."""
        signal = stored.signal
        placement = self._tried_again(stored) or place(
            self.board, signal, self.intake.desk.correlation, self.now
        )
        incident = self._apply(signal, placement)
        outcome = f"{placement.move}: {placement.why}"
        self._outcomes.append((stored.id, incident.id if incident is not None else None, outcome))

    def _tried_again(self, stored: StoredSignal) -> Placement | None:
        if stored.incident_id is None or (stored.signal.source, stored.signal.episode) in self.board.episodes:
            return None
        return tried_again(stored, self.board.incidents.get(stored.incident_id))

    def _apply(self, signal: Signal, placement: Placement) -> Incident | None:
        match placement.move:
            case Move.OPEN | Move.OPEN_WIDE | Move.OPEN_STORM:
                return self._open(signal, placement)
            case Move.JOIN | Move.WIDEN:
                return self._join(signal, placement)
            case Move.REOPEN:
                return self._reopen(signal, placement)
            case Move.CLEAR:
                return self._clear(signal, placement)
            case Move.UNSEEN:
                self.board.ended.add((signal.source, signal.episode))
                return None
            case Move.REPEAT | Move.STALE:
                return placement.incident

    def _open(self, signal: Signal, placement: Placement) -> Incident:
        shapes = {Move.OPEN_WIDE: IncidentShape.WIDE, Move.OPEN_STORM: IncidentShape.STORM}
        shape = shapes.get(placement.move, IncidentShape.SINGLE)
        storm = shape is IncidentShape.STORM
        incident = self.tx.incidents.save(
            Incident(
                id=0,
                title="Alert storm" if storm else self.intake.title_of(signal),
                name="storm" if storm else signal.name,
                subjects=(Subject(SubjectKind.DESK, "storm"),)
                if storm
                else (signal.subject, *placement.also),
                severity=signal.severity,
                status=IncidentStatus.TRIGGERED,
                shape=shape,
                opened_at=self.now,
                changed_at=self.now,
                last_seen_at=self.now,
            )
        )
        self.opened.append(incident)
        tell_card(self.tx, incident, self.now)  # before any line: a thread hangs below its card
        self._attach(incident, signal)
        text = f"{signal.name} on {signal.subject}"
        if placement.related is not None:
            text += f"; also part of {placement.related.number}"
        self._note(incident, TimelineKind.OPENED, text, signal, told=placement.related is not None)
        recall_changes(self.tx, self.intake.desk, incident, self.now)
        self._retriage[incident.id] = "opened"
        self._audit("incident.open", incident)
        return incident

    def _audit(self, event: str, incident: Incident) -> None:
        detail = {"title": incident.title, "severity": incident.severity.value}
        self.tx.audit.append(at=self.now, actor="triage", event=event, target=incident.number, detail=detail)

    def _join(self, signal: Signal, placement: Placement) -> Incident:
        incident = self._current(placement)
        known_name = self.board.holds(incident, signal.name)
        widened = placement.move is Move.WIDEN
        storm = incident.shape is IncidentShape.STORM
        worse = signal.severity.rank < incident.severity.rank
        stays_quiet = incident.quiet and known_name and not widened and not worse
        after = incident if stays_quiet else lifecycle.wake(incident, severity=signal.severity, now=self.now)
        if widened:
            after = replace(
                after,
                subjects=(*after.subjects, signal.subject),
                shape=IncidentShape.WIDE,
                title=self._wide_title(after, signal),
            )
        if placement.leads:
            others = tuple(subject for subject in after.subjects if subject != signal.subject)
            title = self.intake.title_of(signal)
            after = replace(after, name=signal.name, title=title, subjects=(signal.subject, *others))
        after = replace(after, last_seen_at=self.now)
        self._changed[after.id] = None
        self._attach(after, signal)
        kind = TimelineKind.WIDENED if widened else TimelineKind.JOINED
        text = f"{signal.name} on {signal.subject} joined{f', now {signal.severity}' if worse else ''}"
        told = not storm and not after.quiet and (widened or worse or not known_name)
        self._note(after, kind, text, signal, told=told, aloud=worse)
        if widened:
            recall_changes(self.tx, self.intake.desk, after, self.now)
        if widened or worse or (not known_name and not storm):
            self._retriage[after.id] = f"{signal.name} joined"
        return after

    def _wide_title(self, incident: Incident, signal: Signal) -> str:
        if incident.shape is IncidentShape.WIDE or self.board.needed(incident.subject):
            return incident.title
        title = self.intake.title_of(signal)
        what = title.removeprefix(signal.subject.name).strip() or signal.name
        if {incident.subject.kind, signal.subject.kind} == {SubjectKind.BOT}:
            return f"Several bots {what}"
        return f"Several containers {what.removeprefix('container ')}"

    def _reopen(self, signal: Signal, placement: Placement) -> Incident:
        incident = self._current(placement)
        change = lifecycle.reopen(incident, why=placement.why, now=self.now)
        after = lifecycle.wake(
            change.incident if change else incident, severity=signal.severity, now=self.now
        )
        after = replace(after, last_seen_at=self.now)
        self._changed[after.id] = None
        self._attach(after, signal)
        if change is not None:
            self._tell(replace(change.entry, data={ALOUD: True}))
            self._audit("incident.reopen", after)
        self._retriage[after.id] = "reopened"
        return after

    def _clear(self, signal: Signal, placement: Placement) -> Incident | None:
        for episode in placement.ends:
            cleared = replace(
                episode,
                firing=False,
                ends_at=signal.ends_at or self.now,
                last_seen_at=self.now,
                annotations=episode.annotations or signal.annotations,
            )
            self._put(cleared)
            if episode.incident_id in self.board.incidents:
                self._touched[episode.incident_id] = None
                text = f"{episode.name} on {episode.subject} resolved"
                self._cleared.setdefault(episode.incident_id, []).append((text, signal))
        return placement.incident

    def _attach(self, incident: Incident, signal: Signal) -> None:
        self._put(episode_of_signal(incident, signal))
        self.board.put(incident, signal)
        self._touched[incident.id] = None

    def _put(self, episode: Episode) -> None:
        self.board.episodes[episode.source, episode.episode] = episode
        self._episodes[episode.source, episode.episode] = episode

    def _note(
        self,
        incident: Incident,
        kind: TimelineKind,
        text: str,
        signal: Signal,
        *,
        told: bool,
        aloud: bool = False,
    ) -> None:
        if note := signal.data.get(NOTE):
            text += f" ({note})"
        entry = TimelineEntry(
            incident_id=incident.id,
            at=signal.starts_at if kind is not TimelineKind.CLEARED else signal.ends_at or self.now,
            recorded_at=self.now,
            kind=kind,
            text=text,
            source=signal.source.value,
            key=f"{incident.id}/{kind}/{signal.key}",
            told=told,
            data={ALOUD: True} if aloud else {},
        )
        self._tell(entry)

    def _tell(self, entry: TimelineEntry) -> None:
        """Put an entry on the timeline: at once where it is told, with those before it, else with the others."""
        if not entry.told:
            self._lines.append(entry)
            return
        self._write_lines()
        tell_line(self.tx, entry, self.now)

    def _write_lines(self) -> None:
        self.tx.timeline.add_all(self._lines)
        self._lines.clear()

    def _current(self, placement: Placement) -> Incident:
        if placement.incident is None:
            raise AssertionError(f"{placement.move} without an incident")
        return self.board.incidents[placement.incident.id]

    def finish(self) -> None:
        """Resolve what has nothing firing any more, tell what changed, ask for triage."""
        self.tx.signals.sort(self._outcomes)
        self.tx.incidents.put_episodes(list(self._episodes.values()))
        for incident_id in self._touched:
            incident = self._end(self.board.incidents[incident_id])
            if incident_id in self._changed:
                self.tx.incidents.save(incident)
            tell_card(self.tx, incident, self.now)
        self._write_lines()
        for incident_id, reason in self._retriage.items():
            if self.board.incidents[incident_id].is_open:
                self.tx.runs.queue(incident_id, reason, self.now)

    def _end(self, incident: Incident) -> Incident:
        """Note what cleared, and resolve the incident when that was the last of it."""
        cleared = self._cleared.get(incident.id, [])
        over = bool(cleared) and incident.is_open and self.tx.incidents.counts(incident.id)[0] == 0
        silent = over or incident.quiet or incident.shape is IncidentShape.STORM
        for text, signal in cleared:
            self._note(incident, TimelineKind.CLEARED, text, signal, told=not silent)
        change = lifecycle.resolve(incident, now=self.now) if over else None
        if change is None:
            return incident
        self._changed[incident.id] = None
        self.board.put(change.incident)
        self._tell(change.entry)
        self._audit("incident.resolve", change.incident)
        return change.incident
