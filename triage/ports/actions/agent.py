"""The agent: what it is shown when somebody confirms, what it carries out, and how a step went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from triage.plans.agent_orders import Order, digest_of


@dataclass(frozen=True, slots=True)
class Signed:
    """A form as the chat sent it, with what proves that the chat did: in HTTP mode alone."""

    body: str
    timestamp: str
    signature: str


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan as the agent is shown it when somebody confirms: orders by their steps' numbers, and who confirms.

    ``token`` names the action, ``rest`` is the digest of everything that the person saw beside the orders.
    """

    token: str
    kind: str
    target: str
    orders: tuple[tuple[int, Order], ...]
    rest: str
    actor: str
    reason: str
    signed: Signed | None = None

    @property
    def digest(self) -> str:
        """The plan's digest, as the form carries it."""
        return digest_of(self.kind, self.target, self.orders, self.rest)


@dataclass(frozen=True, slots=True)
class Performed:
    """How a step went: ``note`` in one line, ``output`` as it came (not masked yet).

    ``known`` False: the agent was lost while it worked, or could not record the end: how far it came is to be verified.
    """

    ok: bool
    note: str
    output: str = ""
    known: bool = True


OnOutput = Callable[[str], None]
"""Takes a step's output so far."""


@dataclass(frozen=True, slots=True)
class NightlySnapshot:
    """A nightly snapshot that was taken, its SHA-256 (hex), and the old ones that were removed for it."""

    name: str
    sha256: str
    removed: tuple[str, ...]


class Agent(Protocol):
    """What touches the desk: carries out orders of plans it was shown, and judges each by itself."""

    async def confirm(self, shown: ShownPlan) -> None:
        """Show a plan that somebody confirms now. Raises Refused where the agent would not carry it out."""
        ...

    async def perform(self, token: str, number: int, on_output: OnOutput) -> Performed:
        """Carry out the order of a step of a confirmed plan: at most once, whatever happens."""
        ...

    async def end(self, token: str) -> None:
        """Say that an action is over: its target is free, nothing further of it is carried out."""
        ...

    async def tidy(self, token: str) -> None:
        """Remove what an action that is over left beside the bots' folders."""
        ...

    async def keep_snapshot(self, bot: str) -> NightlySnapshot:
        """Take the nightly snapshot of a bot, and remove the oldest ones. Raises Refused where it is too early."""
        ...

    async def anchor(self, sequence: int, digest: str) -> None:
        """Write the head of the audit trail into the agent's own record. Raises Refused where it goes back."""
        ...
