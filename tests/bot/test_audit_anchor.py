"""The audit trail's head is written down elsewhere, and a trail that went back is a trouble."""

from datetime import UTC, datetime
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest

from bot.audit_anchor import AuditAnchor
from bot.store import SqlStore
from triage.errors import DeskFailure, Refused
from triage.ports.actions import Agent

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Record:
    """An agent's record of heads."""

    def __init__(self) -> None:
        self.heads: list[tuple[int, str]] = []
        self.trouble: Exception | None = None

    async def anchor(self, sequence: int, digest: str) -> None:
        """Take a head, or raise the trouble that was given."""
        if self.trouble is not None:
            raise self.trouble
        self.heads.append((sequence, digest))


async def write(store: SqlStore) -> None:
    """Write a line into the trail."""
    await store.write(lambda tx: tx.audit.append(at=NOW, actor="U0ANA", event="x", target="y"))


async def test_a_head_that_moved_is_written_down_once(sqlite_store: SqlStore) -> None:
    """Into the agent's record and the metric; an agent that is away costs only that."""
    record, registry = Record(), CollectorRegistry()
    anchor = AuditAnchor(sqlite_store, cast("Agent", record), registry)
    await anchor.run()
    assert record.heads == []
    await write(sqlite_store)
    await anchor.run()
    await anchor.run()
    [(sequence, digest)] = record.heads
    assert sequence == 1
    assert f'triage_audit_head{{digest="{digest}"}} 1.0' in generate_latest(registry).decode()
    record.trouble = DeskFailure("no agent")
    await write(sqlite_store)
    await anchor.run()
    assert anchor.trouble == ""


async def test_a_trail_that_the_agent_knew_longer_is_a_trouble(sqlite_store: SqlStore) -> None:
    """It stays until somebody looked: the service does not forget it at the next line."""
    record = Record()
    anchor = AuditAnchor(sqlite_store, cast("Agent", record), CollectorRegistry())
    record.trouble = Refused("the audit trail had 9 entries already")
    await write(sqlite_store)
    await anchor.run()
    record.trouble = None
    await write(sqlite_store)
    await anchor.run()
    assert "lost lines" in anchor.trouble
