"""A plan as it is shown, confirmed and run: its steps, its digest, and what must hold before it may run."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import TypeAdapter

from triage.plans.agent_orders import Order, digest_of, orders_of
from triage.plans.operations import Op

DESK = "desk"
"""The target that is the whole desk: it excludes every other target."""


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
        """The SHA-256 (hex) of everything in it: it proves that the plan that runs was shown and confirmed.

        The agent gets only the orders and ``rest``, and can compute the same digest from them.
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
