"""An action as it is stored: proposal, plan, confirmations, steps, what was seen before and after."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter

from triage.model import FindingStatus
from triage.plans.agent_orders import Order, digest_of, orders_of
from triage.plans.operations import Op

DESK = "desk"
"""The target that is the whole desk: it excludes every other target."""


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
class Step:
    """One step of a plan. ``cancelable``: the action may be cancelled before this step begins."""

    title: str
    op: Op
    timeout_seconds: float = 60
    cancelable: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, exactly. ``checks`` names the checks that are asked before and after.

    ``diff``: what changes in files, line by line, masked.
    """

    kind: str
    target: str
    title: str
    steps: tuple[Step, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)
    side_effects: tuple[str, ...] = ()
    wont: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    undo: str = ""
    diff: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of everything in it: what was shown is what was confirmed is what is run.

        Made so that the agent, who is told the orders and ``rest`` alone, comes to the same.
        """
        return digest_of(self.kind, self.target, self.orders, self.rest)

    @property
    def orders(self) -> tuple[tuple[int, Order], ...]:
        """What of it touches the desk: orders by the numbers of their steps."""
        return orders_of([step.op for step in self.steps])

    @property
    def rest(self) -> str:
        """The SHA-256 (hex) of all that was shown."""
        text = json.dumps(plans().dump_python(self, mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def plans() -> TypeAdapter[Plan]:
    """Return what turns plans to JSON values and back; made when it is first needed: the agent never does."""
    return TypeAdapter(Plan)


class Holds(StrEnum):
    """Whether a precondition holds; a warning is shown and lets the action pass."""

    YES = "yes"
    WARNING = "warning"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Precondition:
    """Something that must hold before an action may run, as found now."""

    text: str
    holds: Holds = Holds.YES


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


GOOD: Mapping[FindingStatus, bool | None] = {
    FindingStatus.OK: True,
    FindingStatus.WARNING: None,
    FindingStatus.CRITICAL: False,
    FindingStatus.UNKNOWN: None,
}
"""How a finding counts in a verification: a warning proves nothing either way."""
