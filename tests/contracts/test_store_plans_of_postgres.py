"""PostgreSQL's planner knows how much a table holds: it is asked beside history what each claim of messages costs."""

import pytest
import sqlalchemy as sa

from bot.store import open_store
from tests.contracts.store_samples import NOW
from triage.ports.store import Tx

pytestmark = pytest.mark.slow

SENT = """
INSERT INTO messages (delivery_id, kind, ref, channel, wanted_revision, sent_revision, post_id, channel_id, urgency,
                      attempts, next_at, created_at, wanted_at, lease_owner, last_error, data)
SELECT 'd' || n, 'card', n::text, 'incidents', 1, 1, n || '.0', 'C1', 2, 0, 0, 0, 0, '', '', '{}'
FROM generate_series(1, 20000) AS n
"""


async def test_a_claim_beside_many_sent_messages_reads_few_and_compiles_nothing(
    postgres_copy_url: str,
) -> None:
    """Neither their parents as a whole, nor a program of its own for what seems to be many."""
    engine = sa.create_engine(postgres_copy_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text(SENT))
        connection.execute(sa.text("ANALYZE messages"))
    engine.dispose()
    ran: list[tuple[str, object]] = []

    def note(*said: object) -> None:
        ran.append((str(said[2]), said[3]))

    def explained(tx: Tx) -> list[str]:
        plans = []
        for statement, values in ran:
            if statement.startswith("SELECT"):
                asked = tx.signals._connection.exec_driver_sql(  # type: ignore[attr-defined] # the store's own
                    f"EXPLAIN (ANALYZE) {statement.split(' FOR UPDATE')[0]}", values
                )
                plans += [str(row[0]).strip() for row in asked]
        return plans

    async with open_store(postgres_copy_url) as store:
        sa.event.listen(store.writer.engine, "before_cursor_execute", note)
        await store.write(lambda tx: tx.outbox.claim(NOW, owner="me", lease_seconds=9, limit=8))
        await store.write(lambda tx: tx.outbox.next_at())
        sa.event.remove(store.writer.engine, "before_cursor_execute", note)
        plans = await store.read(explained)
    assert any("ix_messages_due" in step for step in plans)
    assert [step for step in plans if "Seq Scan" in step or step.startswith("JIT")] == []
