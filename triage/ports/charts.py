"""The chart of an incident: what it shows, and who draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from triage.kpis.picture import PictureMark
from triage.ports.digests import DrawnPicture

Points = tuple[tuple[float, float], ...]
"""(epoch seconds, value), oldest first."""


@dataclass(frozen=True, slots=True)
class Track:
    """One bot over the chart's window.

    ``states`` are (begin, end, state) in epoch seconds, what lies between them is not known; ``edge`` is the net edge in
    percent, ``errors`` the lines of errors that the bot's exporter counts.
    """

    bot: str
    states: tuple[tuple[float, float, str], ...] = ()
    edge: Points = ()
    errors: Points = ()


@dataclass(frozen=True, slots=True)
class IncidentChart:
    """An incident from before its begin to after its end (epoch seconds); ``step`` is how far apart points lie at most.

    ``marks``: what began, who acknowledged, which actions ran; ``missing``: what could not be drawn, and why.
    """

    number: str
    title: str
    start: float
    end: float
    step: float
    tracks: tuple[Track, ...]
    marks: tuple[PictureMark, ...] = ()
    missing: tuple[str, ...] = ()


class Charts(Protocol):
    """Draws charts of incidents. Raises SourceError where one could not be drawn."""

    async def draw(self, chart: IncidentChart) -> DrawnPicture:
        """Return the chart as a PNG, and what it shows in words."""
        ...
