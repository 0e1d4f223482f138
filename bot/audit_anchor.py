"""The head of the audit trail, written down where the database's writer has no hand: agent's record, metric, log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from loguru import logger
from prometheus_client import CollectorRegistry, Gauge

from triage.errors import DeskFailure, Refused
from triage.ports.actions import Agent
from triage.ports.store import Head, Store

SECONDS = 5.0


@dataclass(slots=True)
class AuditAnchor:
    """Writes down the head where it moved; a trail that went back is a trouble that stays."""

    store: Store
    agent: Agent
    registry: CollectorRegistry
    trouble: str = ""
    _last: Head = field(default_factory=Head)
    _lines: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self._lines = Gauge(
            "triage_audit_head",
            "Number of the audit trail's last line, by its digest",
            ["digest"],
            registry=self.registry,
        )

    async def run(self) -> None:
        """Look once."""
        head = await self.store.read(lambda tx: tx.audit.head())
        if head == self._last or not head.seq:
            if head.seq < self._last.seq:
                self._lost(f"it had {self._last.seq} lines and has none")
            return
        if head.seq < self._last.seq:
            self._lost(f"it had {self._last.seq} lines and has {head.seq}")
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self.agent.anchor(head.seq, head.digest)
        except Refused as error:
            self._lost(str(error))
            return
        except (DeskFailure, TimeoutError) as error:
            logger.bind(error=str(error)).warning(
                "the audit trail's head was not written into the agent's record"
            )
        self._last = head
        self._lines.clear()
        self._lines.labels(head.digest).set(head.seq)
        logger.info("audit head {head}", head=str(head))

    def _lost(self, why: str) -> None:
        self.trouble = f"the audit trail lost lines: {why}"
        logger.error("{trouble}", trouble=self.trouble)
