"""What one pass over the inbox changes: most of it is written together at its end, because a storm brings hundreds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from triage.incidents.alerts import NOTE
from triage.incidents.correlation_state import CorrelationState, EpisodeKey
from triage.incidents.episodes import episode_of_signal
from triage.incidents.notifications import (
    IN_CHANNEL,
    LINE_URGENCY,
    STORM_URGENCY,
    WAS,
    tell_card,
    tell_line,
    tell_pages,
)
from triage.incidents.storm import (
    FOLD_SECONDS,
    GATHERS,
    QUIET_FOLD_SECONDS,
    changed_pages,
    gathers,
    told_by,
)
from triage.model import Episode, Incident, IncidentShape, Severity, Signal, TimelineEntry, TimelineKind
from triage.ports.store import Tx


class Changes:
    """What a pass has decided so far, and what of it is written already.

    ``touched``: the incidents whose cards change, in that order. ``cleared``: by incident, the line and the signal of
    each alert that ended.
    """

    def __init__(self, tx: Tx, state: CorrelationState, now: datetime) -> None:
        self.tx = tx
        self.state = state
        self.now = now
        self.opened: list[Incident] = []
        self.touched: dict[int, None] = {}
        self.cleared: dict[int, list[tuple[str, Signal]]] = {}
        self.outcomes: list[tuple[int, int | None, str]] = []
        self.storm: Incident | None = None
        """The storm that goes on at the end of the pass: what it tells of waits with its own card."""
        self.triage: dict[int, tuple[str, bool]] = {}
        """By incident, why it is triaged, and whether that waits for nothing."""
        self._changed: dict[int, None] = {}
        self._episodes: dict[EpisodeKey, Episode] = {}
        self._lines: list[TimelineEntry] = []
        self._urgent: dict[int, int] = {}
        self._joined: dict[int, int] = {}
        self._urgencies: dict[int, int] = {}
        """The urgency with which each card was asked for in this pass: once is enough."""

    def change(self, incident: Incident) -> None:
        """Save an incident at the end of the pass, as it is by then."""
        self._changed[incident.id] = None

    def urge(self, incident: Incident) -> None:
        """Tell an incident ahead of others: people must notice it at once."""
        self._urgent[incident.id] = 1

    def attach(self, incident: Incident, signal: Signal) -> None:
        """Make a signal a part of an incident."""
        self.put(episode_of_signal(incident, signal))
        self.state.put(incident, signal)
        self._joined[incident.id] = self._joined.get(incident.id, 0) + 1
        self.touched[incident.id] = None

    def has_one_signal(self, incident: Incident) -> bool:
        """Whether this pass opened an incident, and nothing has joined it since."""
        return self._joined.get(incident.id) == 1 and any(one.id == incident.id for one in self.opened)

    def put(self, episode: Episode) -> None:
        """Keep an episode as it is now."""
        self.state.episodes[episode.source, episode.episode] = episode
        self._episodes[episode.source, episode.episode] = episode

    def ask_triage(self, incident: Incident, reason: str, *, at_once: bool) -> None:
        """Have an incident triaged; the first reason counts, unless a later one is more urgent."""
        before = self.triage.get(incident.id)
        if before is None or (at_once and not before[1]):
            self.triage[incident.id] = (reason, at_once)

    def audit(self, event: str, incident: Incident) -> None:
        """Write a line of the audit trail."""
        detail = {"title": incident.title, "severity": incident.severity.value}
        self.tx.audit.append(at=self.now, actor="triage", event=event, target=incident.number, detail=detail)

    def note(
        self,
        incident: Incident,
        kind: TimelineKind,
        text: str,
        signal: Signal,
        *,
        in_thread: bool,
        in_channel: bool = False,
        was: Severity | None = None,
    ) -> None:
        """Put what a signal did on the timeline; ``in_thread``: in the thread, ``in_channel``: in the channel too.

        ``was``: the incident's severity before, where the signal made it worse.
        """
        if note := signal.data.get(NOTE):
            text += f" ({note})"
        self.tell(
            TimelineEntry(
                incident_id=incident.id,
                at=signal.starts_at if kind is not TimelineKind.CLEARED else signal.ends_at or self.now,
                recorded_at=self.now,
                kind=kind,
                text=text,
                source=signal.source.value,
                key=f"{incident.id}/{kind}/{signal.key}",
                in_thread=in_thread,
                data={
                    **({IN_CHANNEL: True} if in_channel else {}),
                    **({WAS: was.value} if was is not None else {}),
                },
            )
        )

    def tell(self, entry: TimelineEntry) -> None:
        """Put an entry on the timeline: at once where it is told, with those before it, else with the others."""
        if not entry.in_thread:
            self._lines.append(entry)
            return
        self.write_lines()
        urgency, wait = LINE_URGENCY, 0.0
        incident = self.state.incidents[entry.incident_id]
        if not entry.data.get(IN_CHANNEL):
            wait = QUIET_FOLD_SECONDS if self._in_storm(incident) else 0.0
        else:
            urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
            if incident.shape is IncidentShape.STORM:
                urgency, wait = STORM_URGENCY if urgency == 1 else urgency, FOLD_SECONDS
        tell_line(self.tx, entry, self.now, urgency=urgency, wait_seconds=wait)

    def tell_card(self, incident: Incident) -> None:
        """Ask for an incident's card, once in a pass unless it became more urgent."""
        urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
        if incident.shape is IncidentShape.STORM and urgency == 1:
            urgency = STORM_URGENCY
        if self._came_before_the_storm(incident):
            urgency = LINE_URGENCY
        if urgency < self._urgencies.get(incident.id, LINE_URGENCY + 1):
            tell_card(self.tx, incident, self.now, urgency=urgency)
            self._urgencies[incident.id] = urgency

    def write_outcomes(self) -> None:
        """Write what became of each signal, and the episodes."""
        self.tx.signals.sort(self.outcomes)
        self.tx.incidents.put_episodes(list(self._episodes.values()))

    def write_incident(self, incident: Incident) -> None:
        """Write an incident where it changed, and ask for its card and the pages of its list."""
        if incident.id in self._changed:
            self.tx.incidents.save(incident)
        self.tell_card(incident)
        if incident.shape is IncidentShape.STORM:
            self._write_storm(incident)

    def _write_storm(self, storm: Incident) -> None:
        """Ask for the pages that change; a new storm's card goes before those of the incidents that made it one."""
        opened = any(one.id == storm.id for one in self.opened)
        told = self._told_by(storm)
        if opened:
            gathered = told[1:]
            self.tx.outbox.put_behind(gathered, LINE_URGENCY, now=self.now, wait_seconds=QUIET_FOLD_SECONDS)
        joined = sum(self._joined.get(one, 0) for one in told)
        anew = opened or any(one in self.cleared for one in told)
        pages = changed_pages(self.tx.incidents.how_many(told), joined, anew=anew)
        tell_pages(self.tx, storm, pages, self.now)

    def _told_by(self, storm: Incident) -> list[int]:
        if storm.opened_at - GATHERS < self.state.since:
            return told_by(self.tx, storm)
        return [storm.id, *(one.id for one in self.state.incidents.values() if gathers(storm, one))]

    def touch_storms(self) -> None:
        """Have the storms told anew that tell of an incident which changes."""
        opened = {one.id for one in self.opened}
        incidents = self.state.incidents
        for incident in [incidents[one] for one in self.touched]:
            # Of an older one the storm may be over for so long that it was not read.
            if incident.id not in opened and incident.opened_at < self.now - GATHERS:
                storm = self.tx.incidents.storm_at(incident.opened_at, before=GATHERS)
                if storm is not None and storm.id not in incidents:
                    self.state.put(storm)
        for storm in self._storms():
            if any(gathers(storm, incidents[one]) for one in self.touched):
                self.touched[storm.id] = None

    def see(self, storm: Incident) -> None:
        """Note that things come to a storm still: what has just got a card of its own is told with it."""
        self.state.put(replace(storm, last_seen_at=self.now))
        self.change(storm)
        self.touched[storm.id] = None

    def ends_in_storm(self, incident: Incident) -> bool:
        """Whether nobody but its card and its storm need say that an incident is over.

        A line in the thread of each would take the seconds that others wait for.
        """
        return incident.acknowledged_at is None and self._in_storm(incident)

    def _in_storm(self, incident: Incident) -> bool:
        """Whether an incident is part of a storm that has ended, or to which something came, just now."""
        since = self.now - GATHERS
        return any(
            gathers(one, incident) and (one.resolved_at or one.last_seen_at or one.opened_at) >= since
            for one in self._storms()
        )

    def _storms(self) -> list[Incident]:
        return [one for one in self.state.incidents.values() if one.shape is IncidentShape.STORM]

    def _came_before_the_storm(self, incident: Incident) -> bool:
        storm = self.storm
        return storm is not None and gathers(storm, incident) and incident.id < storm.id

    def write_lines(self) -> None:
        """Write the lines that are not told."""
        self.tx.timeline.add_all(self._lines)
        self._lines.clear()


__all__ = ["Changes"]
