"""The head of the audit trail, kept where whoever writes the database cannot: the agent's record, a metric, the log.

It is kept in the store too: a trail that was cut or written anew is noticed after a restart without an agent, and the
trouble stays until somebody confirms it (``audit --accept``). Whoever writes the whole database anew can change that
copy as well, but not the agent's record, the log or the digest.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from loguru import logger
from prometheus_client import CollectorRegistry, Gauge

from triage.errors import DeskFailure, Refused
from triage.ports.actions import Agent
from triage.ports.store import Head, Store, Tx

SECONDS = 5.0
HEAD, TROUBLE = "audit/head", "audit/trouble"
"""Notes of the store: the head that was seen last, and what is wrong with the trail."""


def noted_head(tx: Tx) -> Head:
    """Return the head that was seen last; the empty trail's where none was, or the note cannot be read."""
    number, _, digest = (tx.notes.get(HEAD) or "").partition(":")
    return Head(int(number), digest) if number.isascii() and number.isdigit() else Head()


def why_lost(tx: Tx, last: Head) -> str:
    """Return why the trail is not the one that ended in ``last`` before, empty where it goes on from there."""
    head = tx.audit.head()
    if head.seq < last.seq:
        return f"it had {last.seq} lines and has {head.seq or 'none'}"
    if last.seq and [one.digest for one in tx.audit.entries(after=last.seq - 1, limit=1)] != [last.digest]:
        return f"line {last.seq} is another one than it was"
    return ""


@dataclass(slots=True)
class AuditAnchor:
    """Writes down the head where it moved; a trail that went back is a trouble that stays, over restarts too."""

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
        """Compare the trail's head with the one that was noted, and note it where it moved."""
        head, last, lost, known = await self.store.read(self._look)
        self.trouble = known
        if lost:
            await self._lost(lost)
            return
        if head == self._last or not head.seq:
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self.agent.anchor(head.seq, head.digest)
        except Refused as error:
            await self._lost(str(error))
            return
        except (DeskFailure, TimeoutError) as error:
            logger.bind(error=str(error)).warning(
                "the audit trail's head was not written into the agent's record"
            )
        self._last = head
        self._lines.clear()
        self._lines.labels(head.digest).set(head.seq)
        if head != last:
            await self.store.write(lambda tx: tx.notes.put(HEAD, str(head)))
        logger.info("audit head {head}", head=str(head))

    def _look(self, tx: Tx) -> tuple[Head, Head, str, str]:
        noted, known = noted_head(tx), tx.notes.get(TROUBLE) or ""
        if self.trouble and not known:  # somebody looked: the trail counts from the head that he noted
            self._last = noted
        last = max(self._last, noted, key=lambda head: head.seq)
        return tx.audit.head(), last, why_lost(tx, last), known

    async def _lost(self, why: str) -> None:
        trouble = f"the audit trail lost lines: {why}"
        if self.trouble:
            return  # the first loss is the one to look at
        self.trouble = trouble
        logger.error("{trouble}", trouble=trouble)
        await self.store.write(lambda tx: tx.notes.put(TROUBLE, trouble))
