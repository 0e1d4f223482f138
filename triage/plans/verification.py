"""What was seen before and after an action, side by side, and what verification makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from triage.model import FindingStatus


@dataclass(frozen=True, slots=True)
class Row:
    """One thing looked at: what was seen, and whether that is as it should be (None: not known)."""

    name: str
    seen: str
    good: bool | None
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """What was true at a time. ``state`` holds the facts that judging needs (written by the action)."""

    at: datetime
    rows: tuple[Row, ...]
    state: Mapping[str, str] = field(default_factory=dict)


class VerificationOutcome(StrEnum):
    """What verification says.

    ``recovered`` only when what the incident is about works again and the bots that should trade do; ``effective``:
    the action did what it should, and trading is still out.
    """

    RECOVERED = "recovered"
    EFFECTIVE = "effective"
    PERSISTING = "persisting"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of a verification: before and after, side by side."""

    name: str
    before: str
    after: str
    good: bool | None


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether it helped: the same questions before and after.

    ``trades``: whether the bots that should trade do, None where that is not known or nobody should.
    """

    outcome: VerificationOutcome
    at: datetime
    rows: tuple[Compared, ...]
    why: str = ""
    trades: bool | None = None


GOOD: Mapping[FindingStatus, bool | None] = {
    FindingStatus.OK: True,
    FindingStatus.WARNING: None,
    FindingStatus.CRITICAL: False,
    FindingStatus.UNKNOWN: None,
}
"""How a finding counts in a verification: a warning proves nothing either way."""
