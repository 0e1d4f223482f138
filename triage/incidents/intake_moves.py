"""What each move of correlation does: open an incident, join one, reopen one, end episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from triage.desk import Desk
from triage.incidents import lifecycle
from triage.incidents.alerts import NOTE
from triage.incidents.correlate import Move, Placement, going_on
from triage.incidents.feedback import asked_again
from triage.incidents.intake_changes import Changes
from triage.incidents.naming import title_of_several
from triage.incidents.notifications import IN_CHANNEL
from triage.incidents.storm import STORM_TITLE, gathers, is_urgent, storm_severity, storm_title
from triage.incidents.timeline import recall_changes
from triage.model import (
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Signal,
    SignalStatus,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
)

TitleOf = Callable[[Signal], str]
"""Says in a few words what is wrong: ``bot1 in hard stop``."""
_SHAPES = {Move.OPEN_WIDE: IncidentShape.WIDE, Move.OPEN_STORM: IncidentShape.STORM}


@dataclass(slots=True)
class Moves:
    """Carries out what was decided, in one pass."""

    desk: Desk
    title_of: TitleOf
    changes: Changes

    def apply(self, signal: Signal, placement: Placement) -> Incident | None:
        """Carry one decision out; returns the incident it is about, if any."""
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
                self.changes.state.ended.add((signal.source, signal.episode))
                return None
            case Move.REPEAT | Move.STALE:
                return placement.incident

    def _open(self, signal: Signal, placement: Placement) -> Incident:
        changes = self.changes
        incident = changes.tx.incidents.save(self._new(signal, placement))
        changes.opened.append(incident)
        storm, urgent = incident.shape is IncidentShape.STORM, is_urgent(self.desk, signal)
        if storm or urgent:
            changes.urge(incident)
        if storm and urgent:
            incident = replace(incident, title=storm_title(incident, self.title_of(signal), worse=True))
            changes.change(incident)
        changes.tell_card(incident)  # before any line: a line's thread is the card's
        changes.attach(incident, signal)
        text = f"{signal.name} on {signal.subject}"
        if placement.related is not None:
            text += f"; also part of {placement.related.number}"
        in_thread = placement.related is not None or bool(signal.data.get(NOTE))
        changes.note(incident, TimelineKind.OPENED, text, signal, in_thread=in_thread)
        if not storm and (on := self._storm_on()) is not None:
            changes.see(on)
        recall_changes(changes.tx, self.desk, incident, changes.now)
        changes.triage[incident.id] = ("opened", True)
        changes.audit("incident.open", incident)
        return incident

    def _new(self, signal: Signal, placement: Placement) -> Incident:
        shape = _SHAPES.get(placement.move, IncidentShape.SINGLE)
        storm = shape is IncidentShape.STORM
        now = self.changes.now
        return Incident(
            id=0,
            title=STORM_TITLE if storm else self.title_of(signal),
            name="storm" if storm else signal.name,
            subjects=(Subject(SubjectKind.DESK, "storm"),) if storm else (signal.subject, *placement.also),
            severity=self._severity(signal, shape),
            status=IncidentStatus.TRIGGERED,
            shape=shape,
            opened_at=now,
            changed_at=now,
            last_seen_at=now,
        )

    def _severity(self, signal: Signal, shape: IncidentShape) -> Severity:
        return storm_severity(self.desk, signal) if shape is IncidentShape.STORM else signal.severity

    def _join(self, signal: Signal, placement: Placement) -> Incident:
        changes, before = self.changes, self._current(placement)
        known_name = changes.state.holds(before, signal.name)
        widened, storm = placement.move is Move.WIDEN, before.shape is IncidentShape.STORM
        severity = self._severity(signal, before.shape)
        worse = severity.rank < before.severity.rank
        urgent = is_urgent(self.desk, signal)
        stays_quiet = before.quiet and known_name and not widened and not worse
        if stays_quiet:
            after = replace(before, last_seen_at=changes.now)
        else:
            after = lifecycle.join(before, severity=severity, now=changes.now)
        after = self._named(self._widened(after, signal) if widened else after, signal, leads=placement.leads)
        if urgent:
            changes.urge(after)
        again = known_name and not storm and self._fires_again(before, signal)
        changes.change(after)
        changes.attach(after, signal)
        kind = TimelineKind.WIDENED if widened else TimelineKind.JOINED
        did = "fires again" if again else "joined"
        text = f"{signal.name} on {signal.subject} {did}{f', now {severity}' if worse else ''}"
        if widened and before.shape is IncidentShape.SINGLE:
            text += f"; it began on {before.subject}"
        in_thread = not after.quiet and (urgent if storm else widened or worse or again or not known_name)
        # A thread's line alone notifies nobody: what people must notice is shown in the channel too.
        in_channel = worse or (urgent and (storm or widened))
        was = before.severity if worse else None
        told = in_thread and in_channel and not storm and self._told_by_storm(after, text, signal)
        in_thread = in_thread and not told
        changes.note(after, kind, text, signal, in_thread=in_thread, in_channel=in_channel, was=was)
        if widened:
            recall_changes(changes.tx, self.desk, after, changes.now)
        if widened or worse or again or (not known_name and not storm):
            changes.ask_triage(after, f"{signal.name} {did}", at_once=worse)
        return after

    def _storm_on(self) -> Incident | None:
        return going_on(self.changes.state, self.desk.correlation, self.changes.now)

    def _told_by_storm(self, incident: Incident, text: str, signal: Signal) -> bool:
        """Have a storm that goes on show in the channel, in a line with others, what must be noticed of one it gathers.

        Who has acknowledged that one follows its thread, and reads it there.
        """
        storm, changes = self._storm_on(), self.changes
        if storm is None or incident.acknowledged_at is not None or not gathers(storm, incident):
            return False
        changes.urge(storm)
        changes.see(storm)
        kind = TimelineKind.JOINED
        changes.note(storm, kind, f"{incident.number}: {text}", signal, in_thread=True, in_channel=True)
        return True

    def _fires_again(self, incident: Incident, signal: Signal) -> bool:
        """Whether this alert was told to be over in the incident; one that goes on in another episode was not."""
        alike = self.changes.tx.incidents.episodes_of(incident.id, signal.name, signal.subject)
        alerts = [one for one in alike if not one.is_event]
        return signal.status is SignalStatus.FIRING and bool(alerts) and not any(one.firing for one in alerts)

    def _widened(self, incident: Incident, signal: Signal) -> Incident:
        return replace(
            incident,
            subjects=(*incident.subjects, signal.subject),
            shape=IncidentShape.WIDE,
            title=self._wide_title(incident, signal),
        )

    def _named(self, incident: Incident, signal: Signal, *, leads: bool) -> Incident:
        if incident.shape is IncidentShape.STORM:
            if not leads and not is_urgent(self.desk, signal):
                return incident
            return replace(incident, title=storm_title(incident, self.title_of(signal), worse=leads))
        return self.led_by(incident, signal) if leads else incident

    def led_by(self, incident: Incident, signal: Signal) -> Incident:
        """Return an incident called after what is graver than all before; one of several bots stays one of several."""
        title, state = self.title_of(signal), self.changes.state
        if incident.shape is IncidentShape.WIDE and not state.needed(signal.subject):
            if state.holds(incident, signal.name):
                return incident
            return replace(incident, title=f"{title} · {incident.title.rpartition(' · ')[2]}")
        others = tuple(subject for subject in incident.subjects if subject != signal.subject)
        return replace(incident, name=signal.name, title=title, subjects=(signal.subject, *others))

    def _wide_title(self, incident: Incident, signal: Signal) -> str:
        if incident.shape is IncidentShape.WIDE or self.changes.state.needed(incident.subject):
            return incident.title
        title = self.title_of(signal)
        what = title.removeprefix(signal.subject.name).strip() or signal.name
        if {incident.subject.kind, signal.subject.kind} == {SubjectKind.BOT}:
            return title_of_several("bots", what)
        return title_of_several("containers", what.removeprefix("container "))

    def _reopen(self, signal: Signal, placement: Placement) -> Incident:
        changes, before = self.changes, self._current(placement)
        change = lifecycle.reopen(before, why=placement.why, now=changes.now)
        severity = self._severity(signal, before.shape)
        after = lifecycle.join(change.incident if change else before, severity=severity, now=changes.now)
        worse = severity.rank < before.severity.rank
        if worse:
            after = self.led_by(after, signal)
        changes.change(after)
        changes.attach(after, signal)
        if change is not None:
            asked_again(changes.tx, after, changes.now)
            changes.tell(replace(change.entry, data={IN_CHANNEL: True}))
            changes.audit("incident.reopen", after)
        changes.ask_triage(after, "reopened", at_once=worse)
        return after

    def _clear(self, signal: Signal, placement: Placement) -> Incident | None:
        changes = self.changes
        for episode in placement.ends:
            changes.put(
                replace(
                    episode,
                    firing=False,
                    ends_at=signal.ends_at or changes.now,
                    last_seen_at=changes.now,
                    annotations=episode.annotations or signal.annotations,
                )
            )
            if episode.incident_id in changes.state.incidents:
                changes.touched[episode.incident_id] = None
                text = f"{episode.name} on {episode.subject} resolved"
                changes.cleared.setdefault(episode.incident_id, []).append((text, signal))
        return placement.incident

    def keep_firing(self, signal: Signal, placement: Placement, why: str) -> Placement:
        """Return the decision to take no resolve yet; the end that Alertmanager gave is kept for reconciling.

        The timeline says so once for each alert of an incident.
        """
        changes = self.changes
        for episode in placement.ends:
            changes.put(replace(episode, ends_at=signal.ends_at))
            incident = changes.state.incidents.get(episode.incident_id)
            if incident is None or not incident.is_open:
                continue
            entry = TimelineEntry(
                incident_id=incident.id,
                at=changes.now,
                recorded_at=changes.now,
                kind=TimelineKind.NOTE,
                text=f"{episode.name} on {episode.subject} goes on: {why}",
                source=signal.source.value,
                key=f"{incident.id}/goes_on/{episode.name}",
                in_thread=not incident.quiet and incident.shape is not IncidentShape.STORM,
            )
            changes.tell(entry)
        return Placement(Move.REPEAT, why, placement.incident)

    def _current(self, placement: Placement) -> Incident:
        if placement.incident is None:
            raise AssertionError(f"{placement.move} without an incident")
        return self.changes.state.incidents[placement.incident.id]


__all__ = ["Moves", "TitleOf"]
