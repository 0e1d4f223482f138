"""An action as it is stored: its status, its proposal, who confirmed it, and how far its steps are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from triage.plans.plan import Plan
from triage.plans.verification import Observation, Verification, VerificationOutcome


class ActionStatus(StrEnum):
    """proposed → confirmed → running → succeeded | failed | unknown; or rejected | expired."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        """Nothing further will be done."""
        return self in _ENDED

    @property
    def ran(self) -> bool:
        """It touched the desk, or may have."""
        return self in {
            ActionStatus.RUNNING,
            ActionStatus.SUCCEEDED,
            ActionStatus.FAILED,
            ActionStatus.UNKNOWN,
        }


_ENDED = frozenset(
    {
        ActionStatus.SUCCEEDED,
        ActionStatus.FAILED,
        ActionStatus.UNKNOWN,
        ActionStatus.REJECTED,
        ActionStatus.EXPIRED,
    }
)


class StepStatus(StrEnum):
    """Where a step stands; ``unknown``: the service ended while it ran."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a proposal rests on: the triage run, its digest, when it was seen, and its lines for people."""

    digest: str = ""
    run_id: int | None = None
    observed_at: datetime | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed, when and why. The first one's digest binds the plan."""

    actor: str
    at: datetime
    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """How far a step is. ``output`` is masked and capped; ``note`` one line for people."""

    number: int
    title: str
    shown: str
    status: StepStatus = StepStatus.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    output: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action from proposal to verification. ``id`` 0 and no handle: not stored yet.

    ``parent_id`` is the action that this one undoes, leaves or follows. ``owner`` and ``lease_until`` say
    which process runs (or verifies) it; ``cancel_by`` who asked to stop at the next step boundary.
    """

    kind: str
    target: str
    why: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    changed_at: datetime
    id: int = 0
    handle: str = ""
    incident_id: int | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    status: ActionStatus = ActionStatus.PROPOSED
    needed: int = 1
    confirmations: tuple[Confirmation, ...] = ()
    plan: Plan | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outcome: str = ""
    owner: str = ""
    lease_until: datetime | None = None
    cancel_by: str = ""
    before: Observation | None = None
    verification: Verification | None = None
    verify_at: datetime | None = None
    verify_until: datetime | None = None
    parent_id: int | None = None

    @property
    def awaits_second(self) -> bool:
        """One person confirmed, another one must still do so."""
        return self.status is ActionStatus.PROPOSED and 0 < len(self.confirmations) < self.needed

    @property
    def looked_at_again(self) -> bool:
        """What verification says so far is not well, and not its last word."""
        verification = self.verification
        if verification is None or self.verify_at is None:
            return False
        effective = verification.outcome is VerificationOutcome.EFFECTIVE and verification.trades is True
        return not effective and verification.outcome is not VerificationOutcome.RECOVERED
