"""What is stored of actions: the records, the plans that were shown, the steps, the locks on targets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from triage.plans.plan import Plan
from triage.plans.record import ActionRecord, StepRecord


class Actions(Protocol):
    """Actions, their plans, steps and locks: part of the memory (see ``triage.ports.store``)."""

    def add(self, record: ActionRecord) -> ActionRecord:
        """Store a new action and return it with its id and handle."""
        ...

    def save(self, record: ActionRecord) -> None:
        """Store what changed in an action."""
        ...

    def get(self, action_id: int) -> ActionRecord | None:
        """Return an action; inside a write it stays locked until the commit."""
        ...

    def by_handle(self, handle: str) -> ActionRecord | None:
        """Return the action that a button's opaque id stands for; locked as by ``get``."""
        ...

    def proposed(self) -> list[ActionRecord]:
        """Return every proposal that is open, oldest first."""
        ...

    def of_incident(self, incident_id: int) -> list[ActionRecord]:
        """Return the actions of an incident, oldest first."""
        ...

    def children(self, action_id: int) -> list[ActionRecord]:
        """Return the actions that follow from one: its undo, its way out, its fresh proposal."""
        ...

    def ran(self, limit: int) -> list[ActionRecord]:
        """Return the newest actions that touched the desk, or may have, the newest first."""
        ...

    def recent(self, limit: int = 50) -> list[ActionRecord]:
        """Return the newest actions, the newest first."""
        ...

    def with_status(self, *statuses: str) -> list[ActionRecord]:
        """Return the actions in one of these statuses, oldest first; inside a write they stay locked."""
        ...

    def to_verify(self, now: datetime) -> list[ActionRecord]:
        """Return ended actions whose verification is due and under nobody's lease; locked as by ``get``."""
        ...

    def keep_plan(self, action_id: int, plan: Plan) -> None:
        """Keep a plan that is shown to somebody."""
        ...

    def plan(self, action_id: int, digest: str) -> Plan | None:
        """Return a plan that was shown, by its digest."""
        ...

    def put_steps(self, action_id: int, steps: Sequence[StepRecord]) -> None:
        """Store steps, new ones or changed ones."""
        ...

    def steps(self, action_id: int) -> list[StepRecord]:
        """Return the steps of an action in order."""
        ...

    def locked_by(self, target: str) -> int | None:
        """Return the action that holds a target, the desk's holder included; None when it is free."""
        ...

    def lock(self, target: str, action_id: int, now: datetime) -> int | None:
        """Take a target for an action: None when taken, else the id of the action that holds it."""
        ...

    def unlock(self, action_id: int) -> None:
        """Give back what an action holds."""
        ...
