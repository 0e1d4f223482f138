"""What a reader of an incident is shown, gathered from one snapshot of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triage.actions.view import banner, offers_of, taken_of
from triage.model import Episode, Incident, RunStatus, SubjectKind, TimelineEntry, TimelineKind, TriageRun
from triage.ports.store import Tx


@dataclass(frozen=True, slots=True)
class Offer:
    """An action that a button offers: ``handle`` is the opaque id the button carries."""

    kind: str
    target: str
    handle: str
    why: str = ""


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
    under way; ``offers`` the actions that can be pressed; ``banner`` a line that must not be missed;
    ``actions_taken`` one line an action, for the resolved form.
    """

    incident: Incident
    handle: str
    episodes: tuple[Episode, ...]
    run: TriageRun | None = None
    running: bool = False
    offers: tuple[Offer, ...] = ()
    links: Links = field(default_factory=Links)
    banner: str = ""
    actions_taken: tuple[str, ...] = ()
    silenced_until: datetime | None = None
    other_bots: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    tallies: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many signals it has, those that are not among ``episodes`` too."""
        return sum(total for total, _ in self.tallies.values()) or len(self.episodes)

    @property
    def firing(self) -> int:
        """How many alerts fire now."""
        if self.tallies:
            return sum(firing for _, firing in self.tallies.values())
        return sum(episode.firing and not episode.is_event for episode in self.episodes)


def view_incident(tx: Tx, incident: Incident, *, all_bots: tuple[str, ...] = ()) -> IncidentView:
    """Gather the view of an incident. ``all_bots``: the desk's bots, to name the ones it does not touch."""
    newest = tx.runs.latest(incident.id)
    done = tx.runs.latest(incident.id, RunStatus.DONE)
    touched = set(incident.names(SubjectKind.BOT))
    return IncidentView(
        incident=incident,
        handle=tx.incidents.handle(incident.id),
        episodes=tuple(tx.incidents.telling(incident.id)),
        tallies=tx.incidents.tally(incident.id),
        run=done,
        running=newest is not None and newest.status is not RunStatus.DONE,
        offers=tuple(Offer(one.kind, one.target, one.handle, one.why) for one in offers_of(tx, incident.id))
        if incident.is_open
        else (),
        banner=banner(tx),
        actions_taken=taken_of(tx, incident.id),
        silenced_until=_silenced_until(tx.timeline.of(incident.id, TimelineKind.SILENCED)),
        other_bots=tuple(bot for bot in all_bots if bot not in touched),
    )


def _silenced_until(entries: list[TimelineEntry]) -> datetime | None:
    ends = [datetime.fromisoformat(str(entry.data["until"])) for entry in entries if "until" in entry.data]
    return max(ends, default=None)
