"""Triage runs: queued, claimed, finished."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from triage.model import RunStatus, Severity, TriageRun


class Runs(Protocol):
    """Triage runs: queued, claimed under a lease by an owner, finished with findings and a verdict."""

    def queue(
        self, incident_id: int, reason: str, now: datetime, *, not_before: datetime | None = None
    ) -> int:
        """Queue a run, or return the one of this incident that is still queued; the earlier time counts."""
        ...

    def take(
        self, now: datetime, *, owner: str, lease_seconds: float, only: Severity | None = None
    ) -> TriageRun | None:
        """Claim a run that is queued, or whose owner died; None when there is nothing to do.

        The gravest incident's first, the oldest of those; ``only`` of incidents of one severity, where given.
        """
        ...

    def renew(self, run_id: int, owner: str, until: datetime) -> None:
        """Keep a run that an owner still holds for longer."""
        ...

    def release_of(self, owner: str, *, but: Collection[int]) -> None:
        """Give back what is claimed by an owner, except some runs."""
        ...

    def release(self, run_id: int | None = None) -> None:
        """Give a claimed run back to be taken at once; None: all of them, where no other process can be alive."""
        ...

    def finish(self, run: TriageRun, evidence: bytes = b"") -> None:
        """Store a run with its findings, its verdict, and its packed record (``triage.diagnosis.record``), if any."""
        ...

    def evidence(self, run_id: int) -> bytes | None:
        """Return the packed record of a run; None where none was kept, or not any more."""
        ...

    def get(self, run_id: int) -> TriageRun | None:
        """Return a run with its findings."""
        ...

    def latest(self, incident_id: int, status: RunStatus | None = None) -> TriageRun | None:
        """Return the newest run of an incident, of one status where given."""
        ...

    def done(self, incident_id: int, limit: int) -> list[TriageRun]:
        """Return the newest finished runs of an incident, oldest first."""
        ...
