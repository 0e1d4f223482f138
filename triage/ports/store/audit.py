"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.model import Json


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit trail: who did (or was denied) what to what. ``digest`` chains it to the one before."""

    seq: int
    at: datetime
    actor: str
    event: str
    target: str
    detail: Mapping[str, Json]
    previous: str
    digest: str


GENESIS = "0" * 64
"""What the first line of an audit trail is bound to."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where an audit trail ends: the number of its last line, and that line's digest. Shown as ``812:9f2c…``."""

    seq: int = 0
    digest: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"


class Audit(Protocol):
    """The append-only, hash-chained trail."""

    def append(
        self, *, at: datetime, actor: str, event: str, target: str, detail: Mapping[str, Json] | None = None
    ) -> AuditEntry:
        """Add a line behind the last one."""
        ...

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Return lines in order."""
        ...

    def head(self) -> Head:
        """Return where the trail ends; (0, GENESIS) where it has no line."""
        ...

    def about(self, incident: str) -> list[AuditEntry]:
        """Return the lines about an incident (``INC-42``) and about its actions, in order."""
        ...
