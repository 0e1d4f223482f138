"""What one pass over the inbox changes: most of it is written together at its end, because a storm brings hundreds."""

from __future__ import annotations

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
from triage.incidents.storm import FOLD_SECONDS, changed_pages
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
        if entry.data.get(IN_CHANNEL):
            incident = self.state.incidents[entry.incident_id]
            urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
            wait = FOLD_SECONDS if incident.shape is IncidentShape.STORM else 0.0
        tell_line(self.tx, entry, self.now, urgency=urgency, wait_seconds=wait)

    def tell_card(self, incident: Incident) -> None:
        """Ask for an incident's card, once in a pass unless it became more urgent."""
        urgency = min(self._urgent.get(incident.id, LINE_URGENCY), incident.severity.rank)
        if incident.shape is IncidentShape.STORM and urgency == 1:
            urgency = STORM_URGENCY
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
            _, total = self.tx.incidents.counts(incident.id)
            cleared = incident.id in self.cleared
            pages = changed_pages(total, self._joined.get(incident.id, 0), cleared=cleared)
            tell_pages(self.tx, incident, pages, self.now)

    def write_lines(self) -> None:
        """Write the lines that are not told."""
        self.tx.timeline.add_all(self._lines)
        self._lines.clear()


__all__ = ["Changes"]
