"""Which alert names an incident: the gravest that fires; of what is over, the gravest that fired. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from triage.diagnosis.symptoms import family
from triage.drill_alert import ALERTNAME as DRILL
from triage.model import Episode, Incident, IncidentShape, Subject, SubjectKind

_READS_ON = frozenset({"frozen", "in", "paused", "down", "died", "killed", "unhealthy"})
"""What makes a sentence behind the name of what it is about."""
_STANDS = frozenset({"stop", "frozen", "down", "loop", "oom"})
"""Of equal severity, what says that something stands comes before what was measured on the way there."""
_PORT = re.compile(r":\d+$")
_OF_NO_HOST = re.compile(r"(?:[a-z]+[-_])?exporter|cadvisor|localhost|127\.0\.0\.1", re.IGNORECASE)
"""The name of an exporter's container, or of whoever asks: it says of no host which it is."""


def named_anew(incident: Incident, episodes: Iterable[Episode]) -> Episode | None:
    """Return the alert that names an incident from now on, of those about what it is about; None where it keeps its name.

    It keeps it while the alert of that name fires and nothing graver does. An event does not clear.
    """
    if incident.shape is IncidentShape.STORM or incident.quiet or incident.name == DRILL:
        return None
    alerts = [one for one in episodes if not one.is_event]
    counts = [one for one in alerts if one.firing or not incident.is_open]
    if not counts:
        return None
    best = min(counts, key=lambda one: (*_rank(one), one.starts_at))
    naming = [one for one in counts if one.name == incident.name and one.subject == incident.subject]
    by_event = all(one.name != incident.name for one in alerts)
    if by_event:  # an event named it: only what is graver takes its place, and intake has seen to that
        return None
    if naming and min(map(_rank, naming)) <= _rank(best):
        return None
    return best


def _rank(episode: Episode) -> tuple[int, bool]:
    return episode.severity.rank, family(episode) not in _STANDS


def display_name(subject: Subject) -> str:
    """Return what a title calls it: a host by its name, without the port of the exporter that tells of it."""
    if subject.kind is not SubjectKind.HOST or not (host := _PORT.sub("", subject.name)):
        return subject.name
    return "host" if _OF_NO_HOST.fullmatch(host) else host


def title_of_several(things: str, what: str) -> str:
    """Return ``Several bots frozen``, ``Several bots run without fills``, ``Several bots: order book stale``."""
    first, _, rest = what.partition(" ")
    if first == "runs":
        return f"Several {things} run {rest}"
    return f"Several {things}{'' if first in _READS_ON else ':'} {what}"


__all__ = ["display_name", "named_anew", "title_of_several"]
