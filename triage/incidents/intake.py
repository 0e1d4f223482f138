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
from triage.incidents.board import board_for
from triage.incidents.correlate import Board, EpisodeKey, Move, Placement, place
from triage.incidents.episodes import episode_of_signal
from triage.incidents.feedback import ask, asked_again
from triage.incidents.namesakes import as_known
from triage.incidents.naming import named_anew, several, signal_of
from triage.incidents.notifications import IN_CHANNEL, LINE_URGENCY, tell_card, tell_line, tell_pages
from triage.incidents.storm import (
    FOLD_SECONDS,
    STORM_TITLE,
    changed_pages,
    is_grave,
    storm_severity,
    storm_title,
)
from triage.incidents.timeline import recall_changes
from triage.incidents.unsortable import tried_again
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Signal,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
)
from triage.ports.store import StoredSignal, Tx

BATCH = 300
"""Signals in one pass: bounds how long the writer is held."""

TitleOf = Callable[[Signal], str]
"""Says in a few words what is wrong: ``bot1 in hard stop``."""


@dataclass(slots=True)
class IntakePass:
    """What one pass over the inbox did. ``more``: the inbox held more than one pass takes."""

    sorted: int = 0
    opened: list[Incident] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class Intake:
    """Sorts the inbox for one desk."""

    desk: Desk
    title_of: TitleOf

    def sort_inbox(self, tx: Tx, now: datetime, *, limit: int = BATCH) -> IntakePass:
        """Sort up to ``limit`` stored signals into incidents."""
        tx.exclusive("correlate")  # two replicas must not both open the incident of one signal
        inbox = tx.signals.inbox(limit)
        if not inbox:
            return IntakePass()
        return replace(self._sort(tx, inbox, now), more=len(inbox) == limit)

    def sort_one(self, tx: Tx, signal_id: int, now: datetime) -> IntakePass:
        """Sort one signal, where nobody did so meanwhile."""
        tx.exclusive("correlate")
        stored = tx.signals.waiting_one(signal_id)
        return IntakePass() if stored is None else self._sort(tx, [stored], now)

    def _sort(self, tx: Tx, inbox: list[StoredSignal], now: datetime) -> IntakePass:
        sorting = _Sorting(self, tx, now, board_for(tx, inbox, self.desk, now))
        for stored in inbox:
            sorting.sort(stored)
        sorting.finish()
        return IntakePass(len(inbox), sorting.opened)


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
        self._retriage: dict[int, tuple[str, bool]] = {}
        """By incident, why it is triaged, and whether that waits for nothing."""
        self._urgent: dict[int, int] = {}
        self._joined: dict[int, int] = {}
        self._told: dict[int, int] = {}
        """The urgency with which each card was asked for in this pass: once is enough."""

    def sort(self, stored: StoredSignal) -> None:
        """Place one signal and apply the decision."""
        signal = as_known(stored.signal, self._known)
        placement = self._tried_again(stored) or place(
            self.board, signal, self.intake.desk.correlation, self.now
        )
        incident = self._apply(signal, placement)
        outcome = f"{placement.move}: {placement.why}"
        self._outcomes.append((stored.id, incident.id if incident is not None else None, outcome))

    def _known(self, key: EpisodeKey, *, asked: bool) -> Episode | None:
        """Find an episode on the board; in the store where the board was not ``asked`` for it."""
        if key not in self.board.episodes and not asked:
            for found in self.tx.incidents.episodes_named([key]):
                self.board.episodes[key] = found
        return self.board.episodes.get(key)

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
                title=STORM_TITLE if storm else self.intake.title_of(signal),
                name="storm" if storm else signal.name,
                subjects=(Subject(SubjectKind.DESK, "storm"),)
                if storm
                else (signal.subject, *placement.also),
                severity=self._severity(signal, storm=storm),
                status=IncidentStatus.TRIGGERED,
                shape=shape,
                opened_at=self.now,
                changed_at=self.now,
                last_seen_at=self.now,
            )
        )
        self.opened.append(incident)
        grave = is_grave(self.intake.desk, signal)
        if storm or grave:
            self._urgent[incident.id] = 1
        if storm and grave:
            incident = replace(
                incident, title=storm_title(incident, self.intake.title_of(signal), worse=True)
            )
            self._changed[incident.id] = None
        self._tell_card(incident)  # before any line: a thread hangs below its card
        self._attach(incident, signal)
        text = f"{signal.name} on {signal.subject}"
        if placement.related is not None:
            text += f"; also part of {placement.related.number}"
        told = placement.related is not None or bool(signal.data.get(NOTE))
        self._note(incident, TimelineKind.OPENED, text, signal, told=told)
        recall_changes(self.tx, self.intake.desk, incident, self.now)
        self._retriage[incident.id] = ("opened", True)
        self._audit("incident.open", incident)
        return incident

    def _fires_on(self, incident: Incident, signal: Signal) -> bool:
        """Whether another episode of the same alert fires: who reads that it resolved would take it for over."""
        return any(
            one.firing and (one.name, one.subject) == (signal.name, signal.subject)
            for one in self.tx.incidents.episodes([incident.id])
        )

    def _severity(self, signal: Signal, *, storm: bool) -> Severity:
        return storm_severity(self.intake.desk, signal) if storm else signal.severity

    def _audit(self, event: str, incident: Incident) -> None:
        detail = {"title": incident.title, "severity": incident.severity.value}
        self.tx.audit.append(at=self.now, actor="triage", event=event, target=incident.number, detail=detail)

    def _join(self, signal: Signal, placement: Placement) -> Incident:
        incident = self._current(placement)
        known_name = self.board.holds(incident, signal.name)
        widened = placement.move is Move.WIDEN
        storm = incident.shape is IncidentShape.STORM
        severity = self._severity(signal, storm=storm)
        worse = severity.rank < incident.severity.rank
        stays_quiet = incident.quiet and known_name and not widened and not worse
        after = incident if stays_quiet else lifecycle.wake(incident, severity=severity, now=self.now)
        if widened:
            after = replace(
                after,
                subjects=(*after.subjects, signal.subject),
                shape=IncidentShape.WIDE,
                title=self._wide_title(after, signal),
            )
        grave = is_grave(self.intake.desk, signal)
        if grave:
            self._urgent[after.id] = 1
        if storm and (grave or placement.leads):
            title = storm_title(after, self.intake.title_of(signal), worse=placement.leads)
            after = replace(after, title=title)
        elif placement.leads:
            after = self._led_by(after, signal)
        after = replace(after, last_seen_at=self.now)
        self._changed[after.id] = None
        self._attach(after, signal)
        kind = TimelineKind.WIDENED if widened else TimelineKind.JOINED
        text = f"{signal.name} on {signal.subject} joined{f', now {severity}' if worse else ''}"
        if widened and incident.shape is IncidentShape.SINGLE:
            text += f"; it began on {incident.subject}"
        told = not after.quiet and (grave if storm else widened or worse or not known_name)
        # A thread's line alone notifies nobody: what people must notice is shown in the channel too.
        self._note(after, kind, text, signal, told=told, in_channel=worse or (grave and (storm or widened)))
        if widened:
            recall_changes(self.tx, self.intake.desk, after, self.now)
        if widened or worse or (not known_name and not storm):
            self._ask_triage(after, f"{signal.name} joined", at_once=worse)
        return after

    def _led_by(self, incident: Incident, signal: Signal) -> Incident:
        """Return an incident called after what is graver than all before; one of several bots stays one of several."""
        title = self.intake.title_of(signal)
        if incident.shape is IncidentShape.WIDE and not self.board.needed(signal.subject):
            if self.board.holds(incident, signal.name):
                return incident
            return replace(incident, title=f"{title} · {incident.title.rpartition(' · ')[2]}")
        others = tuple(subject for subject in incident.subjects if subject != signal.subject)
        return replace(incident, name=signal.name, title=title, subjects=(signal.subject, *others))

    def _ask_triage(self, incident: Incident, reason: str, *, at_once: bool) -> None:
        before = self._retriage.get(incident.id)
        if before is None or (at_once and not before[1]):
            self._retriage[incident.id] = (reason, at_once)

    def _wide_title(self, incident: Incident, signal: Signal) -> str:
        if incident.shape is IncidentShape.WIDE or self.board.needed(incident.subject):
            return incident.title
        title = self.intake.title_of(signal)
        what = title.removeprefix(signal.subject.name).strip() or signal.name
        if {incident.subject.kind, signal.subject.kind} == {SubjectKind.BOT}:
            return several("bots", what)
        return several("containers", what.removeprefix("container "))

    def _reopen(self, signal: Signal, placement: Placement) -> Incident:
        incident = self._current(placement)
        change = lifecycle.reopen(incident, why=placement.why, now=self.now)
        severity = self._severity(signal, storm=incident.shape is IncidentShape.STORM)
        after = lifecycle.wake(change.incident if change else incident, severity=severity, now=self.now)
        worse = severity.rank < incident.severity.rank
        if worse:
            after = self._led_by(after, signal)
        after = replace(after, last_seen_at=self.now)
        self._changed[after.id] = None
        self._attach(after, signal)
        if change is not None:
            asked_again(self.tx, after, self.now)
            self._tell(replace(change.entry, data={IN_CHANNEL: True}))
            self._audit("incident.reopen", after)
        self._ask_triage(after, "reopened", at_once=worse)
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
        self._joined[incident.id] = self._joined.get(incident.id, 0) + 1
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
        in_channel: bool = False,
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
            data={IN_CHANNEL: True} if in_channel else {},
        )
        self._tell(entry)

    def _tell(self, entry: TimelineEntry) -> None:
        """Put an entry on the timeline: at once where it is told, with those before it, else with the others."""
        if not entry.told:
            self._lines.append(entry)
            return
        self._write_lines()
        urgency, wait = LINE_URGENCY, 0.0
        if entry.data.get(IN_CHANNEL):
            incident = self.board.incidents[entry.incident_id]
            urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
            wait = FOLD_SECONDS if incident.shape is IncidentShape.STORM else 0.0
        tell_line(self.tx, entry, self.now, urgency=urgency, wait_seconds=wait)

    def _tell_card(self, incident: Incident) -> None:
        urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
        if urgency < self._told.get(incident.id, LINE_URGENCY + 1):
            tell_card(self.tx, incident, self.now, urgency=urgency)
            self._told[incident.id] = urgency

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
            incident = self._renamed(self._end(self.board.incidents[incident_id]))
            if incident_id in self._changed:
                self.tx.incidents.save(incident)
            self._tell_card(incident)
            if incident.shape is IncidentShape.STORM:
                _, total = self.tx.incidents.counts(incident_id)
                cleared = incident_id in self._cleared
                pages = changed_pages(total, self._joined.get(incident_id, 0), cleared=cleared)
                tell_pages(self.tx, incident, pages, self.now)
        self._write_lines()
        for incident_id, (reason, at_once) in self._retriage.items():
            if self.board.incidents[incident_id].is_open:
                begin = self.now if at_once else self._rested(incident_id)
                self.tx.runs.queue(incident_id, reason, self.now, not_before=begin)

    def _renamed(self, incident: Incident) -> Incident:
        """Return the incident called after the gravest alert that fires: one that cleared names it no more."""
        if incident.shape is not IncidentShape.SINGLE:
            return incident
        best = named_anew(incident, self.tx.incidents.episodes([incident.id]))
        if best is None:
            return incident
        self._changed[incident.id] = None
        return self._led_by(incident, signal_of(best))

    def _rested(self, incident_id: int) -> datetime:
        """Return when an incident may be triaged again: not each time that something joins or comes back."""
        last = self.tx.runs.latest(incident_id)
        if last is None:
            return self.now
        rest = timedelta(seconds=self.intake.desk.triage.again_after_seconds)
        return max(self.now, (last.started_at or last.requested_at) + rest)

    def _end(self, incident: Incident) -> Incident:
        """Note what cleared, and resolve the incident when that was the last of it."""
        cleared = self._cleared.get(incident.id, [])
        over = bool(cleared) and incident.is_open and self.tx.incidents.counts(incident.id)[0] == 0
        silent = over or incident.quiet or incident.shape is IncidentShape.STORM
        for text, signal in cleared:
            told = not silent and not self._fires_on(incident, signal)
            self._note(incident, TimelineKind.CLEARED, text, signal, told=told)
        change = lifecycle.resolve(incident, now=self.now) if over else None
        if change is None:
            return incident
        self._changed[incident.id] = None
        self.board.put(change.incident)
        self._tell(change.entry)
        ask(self.tx, change.incident, self.now)
        self._audit("incident.resolve", change.incident)
        return change.incident
