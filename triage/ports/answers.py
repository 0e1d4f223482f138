"""What people said the cause was, and what incidents have in common: the memory's part of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CauseAnswer:
    """What a person said of an incident's verdict; the newest answer of an incident counts.

    ``run_id``: the triage run whose verdict they were shown; ``said``: the cause it named (empty: none), with what
    ``strength`` in words. ``right``: that is what it was. ``cause``: the name of the cause that it was, empty where it is
    none of the known ones or the person does not know; ``text``: what they wrote.
    """

    incident_id: int
    run_id: int
    at: datetime
    actor: str
    right: bool
    said: str
    strength: str = ""
    cause: str = ""
    text: str = ""


Tally = Mapping[str, tuple[int, int]]
"""Answered verdicts by strength (``""``: no cause was named): how many were answered, and of how many ``right``."""


class Answers(Protocol):
    """Answers, one an incident, and the traits of incidents."""

    def put(self, answer: CauseAnswer) -> None:
        """Store an answer in place of the one before."""
        ...

    def of(self, incident_id: int) -> CauseAnswer | None:
        """Return the answer that counts."""
        ...

    def tally(self, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """Count the answers given from ``since`` on and before ``until``; of all times where they are not given."""
        ...

    def set_traits(self, incident_id: int, traits: Collection[str]) -> None:
        """Store by what an incident is found again, in place of what was stored before."""
        ...

    def traits(self, incident_id: int) -> frozenset[str]:
        """Return the traits of an incident."""
        ...

    def having(self, trait: str, before_id: int, limit: int) -> list[int]:
        """Return the newest incidents older than one (by id) that have a trait, the newest first."""
        ...
