"""Incidents and their episodes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from triage.model import Episode, Incident, Severity, Source, Subject


@dataclass(frozen=True, slots=True)
class RollEntry:
    """One episode in a few words. ``word``: what its label says of its severity, empty where it says nothing."""

    incident_id: int
    name: str
    subject: Subject
    severity: Severity
    word: str
    firing: bool
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class RollCount:
    """How many episodes of a storm are alike in all that is counted. ``bot``: empty where they are about none."""

    name: str
    severity: Severity
    word: str
    firing: bool
    bot: str
    count: int


class Incidents(Protocol):
    """Incidents and the episodes they are made of."""

    def get(self, incident_id: int) -> Incident | None:
        """Return an incident; inside a write it stays locked until the commit."""
        ...

    def by_handle(self, handle: str) -> Incident | None:
        """Return the incident that an opaque id of a button stands for."""
        ...

    def handle(self, incident_id: int) -> str:
        """Return the opaque id that stands for an incident in buttons."""
        ...

    def open(self) -> list[Incident]:
        """Return the incidents that are not resolved, oldest first."""
        ...

    def any_open(self) -> bool:
        """Say whether an incident is not resolved."""
        ...

    def recent(self, since: datetime, limit: int = 200) -> list[Incident]:
        """Return incidents that are open or changed after ``since``, oldest first."""
        ...

    def storm_at(self, at: datetime, *, before: timedelta) -> Incident | None:
        """Return the newest storm that alerts came to at a time or later, and that began at most so long after it."""
        ...

    def near(self, incident_id: int, most: int) -> list[Incident]:
        """Return up to so many incidents that were opened before and after one."""
        ...

    def save(self, incident: Incident) -> Incident:
        """Insert (id 0) or update an incident; returns it with its id."""
        ...

    def episodes(self, incident_ids: Iterable[int]) -> list[Episode]:
        """Return the episodes of incidents, in the order they began."""
        ...

    def episodes_of(self, incident_id: int, name: str, subject: Subject) -> list[Episode]:
        """Return the episodes of one alert about one subject in an incident, in the order they began."""
        ...

    def notable_episodes(self, incident_id: int, limit: int = 300) -> list[Episode]:
        """Return what of an incident is worth showing, in the order they began: a storm holds thousands.

        Those that fire before those that do not, the urgent ones before the others, the oldest first.
        """
        ...

    def tally(self, incident_id: int) -> dict[str, tuple[int, int]]:
        """Return by alert name how many episodes an incident has, and how many of them fire now."""
        ...

    def episode(self, source: Source, episode: str) -> Episode | None:
        """Return one episode by its name."""
        ...

    def episodes_named(self, keys: Iterable[tuple[Source, str]]) -> list[Episode]:
        """Return the episodes of these (source, episode) that are known."""
        ...

    def firing_of(self, fingerprints: Iterable[str]) -> list[Episode]:
        """Return the episodes of these alerts that fire."""
        ...

    def names(self, incident_ids: Iterable[int]) -> dict[int, set[str]]:
        """Return the alert names that each incident holds."""
        ...

    def roll(self, incident_ids: Collection[int], *, first: int, most: int) -> list[RollEntry]:
        """Return the episodes of incidents in a few words, in the order of arrival: a page of a storm's list.

        At most ``most`` from the one numbered ``first`` (from 0) on.
        """
        ...

    def leading(self, incident_ids: Collection[int], words: Collection[str], most: int) -> list[RollEntry]:
        """Return the episodes that are Sev-1, or whose label says one of ``words`` of their severity.

        Those that fire before those that do not, the urgent ones before the others, the oldest first.
        """
        ...

    def roll_counts(self, incident_ids: Collection[int]) -> list[RollCount]:
        """Return how many episodes of incidents are alike: a storm holds thousands, and few sorts of them."""
        ...

    def lately(self, incident_id: int, since: datetime, most: int) -> int:
        """Return how many firing episodes of an incident came after ``since``; ``most`` where it are more."""
        ...

    def counts(self, incident_id: int) -> tuple[int, int]:
        """Return how many alerts of an incident fire now, and how many episodes it has in all."""
        ...

    def how_many(self, incident_ids: Collection[int]) -> int:
        """Return how many episodes incidents have in all."""
        ...

    def put_episode(self, episode: Episode) -> None:
        """Insert or update an episode by (source, episode)."""
        ...

    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Insert or update episodes, each of them named once."""
        ...
