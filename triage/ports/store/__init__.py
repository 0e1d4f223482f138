"""The memory: every read and write goes through a transaction (``Tx``) that ``Store`` opens.

A unit of work is a plain function of a ``Tx``; the store runs it in its writer thread, several units in
one commit. It may be run again after a failure that is known to have stored nothing, so it has no effect but on
the ``Tx`` and its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from triage.model import Signal
from triage.ports.actions import Actions
from triage.ports.answers import Answers
from triage.ports.events import Events
from triage.ports.store.aging import Aging
from triage.ports.store.audit import GENESIS, Audit, AuditEntry, Head
from triage.ports.store.incidents import Incidents, RollCount, RollEntry
from triage.ports.store.notes import Document, Notes
from triage.ports.store.outbox import ASIDE, Message, MessageKind, Outbox, OutboxState, Recheck
from triage.ports.store.runs import Runs
from triage.ports.store.signals import Signals, StoredSignal, WaitingSignal
from triage.ports.store.timeline import Timeline

__all__ = [
    "ASIDE",
    "GENESIS",
    "WEBHOOK_SECONDS",
    "WRITE_SECONDS",
    "Aging",
    "Audit",
    "AuditEntry",
    "Document",
    "Head",
    "Incidents",
    "Message",
    "MessageKind",
    "Notes",
    "Outbox",
    "OutboxState",
    "Recheck",
    "RollCount",
    "RollEntry",
    "Runs",
    "Signals",
    "Store",
    "StoredSignal",
    "Timeline",
    "Tx",
    "WaitingSignal",
]

T = TypeVar("T")


class Tx(Protocol):
    """One transaction's view of the memory."""

    @property
    def signals(self) -> Signals: ...  # noqa: D102 - each is documented by its protocol
    @property
    def incidents(self) -> Incidents: ...  # noqa: D102
    @property
    def timeline(self) -> Timeline: ...  # noqa: D102
    @property
    def runs(self) -> Runs: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def audit(self) -> Audit: ...  # noqa: D102
    @property
    def notes(self) -> Notes: ...  # noqa: D102
    @property
    def actions(self) -> Actions: ...  # noqa: D102
    @property
    def events(self) -> Events: ...  # noqa: D102
    @property
    def answers(self) -> Answers: ...  # noqa: D102
    @property
    def aging(self) -> Aging: ...  # noqa: D102

    def exclusive(self, name: str) -> None:
        """Hold a lock of that name until the commit: one holder among all replicas."""
        ...

    def server_time(self) -> datetime | None:
        """Return what time it is by the clock of a database that replicas share; None where there is none."""
        ...


WRITE_SECONDS = 15.0
"""How long anybody waits for a commit who does not say how long."""


WEBHOOK_SECONDS = 4.5
"""How long a webhook waits for its commit: Alertmanager sends again what was answered 503."""


class Store(Protocol):
    """Opens transactions. A write raises NotStored or CommitUnknown, a read StoreUnavailable, where it cannot."""

    async def write(
        self, work: Callable[[Tx], T], *, within: float = WRITE_SECONDS, patient: bool = False
    ) -> T:
        """Run a unit of work and return its answer once it is on disk, or raise within so many seconds.

        ``patient``: what is written meanwhile goes first.
        """
        ...

    async def keep(self, signals: Sequence[Signal], stored: Callable[[], None] = lambda: None) -> int:
        """Store signals, in one statement with those that others keep at this moment. Returns how many were new.

        ``stored`` is called where some are new, before their commit: what is written then of them may share it. Where
        the commit fails there is nothing of them to be found.
        """
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a reading unit on a consistent snapshot."""
        ...
