"""The audit trail's head is written down elsewhere, and a trail that went back is a trouble."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest

from bot.audit_anchor import AuditAnchor
from bot.store import SqlStore
from triage.errors import DeskFailure, Refused
from triage.ports.actions import Agent
from triage.ports.store import Tx

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


def anchor_of(store: SqlStore) -> AuditAnchor:
    """Return what a service that starts anew has, with an agent that knows nothing."""
    return AuditAnchor(store, cast("Agent", Record()), CollectorRegistry())


async def spoil(store: SqlStore, statement: str) -> None:
    """Change the trail behind the service's back."""

    def work(tx: Tx) -> None:
        connection = cast("Any", tx.audit)._connection
        for name in (
            connection.execute(sa.text("select name from sqlite_master where type = 'trigger'"))
            .scalars()
            .all()
        ):
            connection.execute(sa.text(f'drop trigger "{name}"'))
        connection.execute(sa.text(statement))

    await store.write(work)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("delete from audit where seq > 1", "had 3 lines and has 1"),
        ("delete from audit", "had 3 lines and has none"),
        ("update audit set digest = 'another' where seq = 3", "line 3 is another one"),
    ],
)
async def test_a_loss_is_noticed_over_a_restart_and_its_trouble_survives_one(
    sqlite_store: SqlStore, statement: str, said: str
) -> None:
    """Without an agent's record, and also where new lines were written behind those that are left."""
    for _ in range(3):
        await write(sqlite_store)
    await anchor_of(sqlite_store).run()
    await spoil(sqlite_store, statement)
    after = anchor_of(sqlite_store)
    await after.run()
    assert said in after.trouble
    for _ in range(4):
        await write(sqlite_store)
    later = anchor_of(sqlite_store)
    await later.run()
    assert later.trouble == after.trouble
