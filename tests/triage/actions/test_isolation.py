"""One action's record that cannot be read costs only that action: the engine goes on, and it is said."""

import asyncio
from pathlib import Path

from bot.store import open_store
from bot.store.transaction import Transaction
from tests.schema import with_schema
from tests.triage.actions.test_engine import Gate, confirmed, desktop_on, until
from triage.actions.engine import ActionEngine
from triage.plans.record import ActionStatus
from triage.ports.store import Tx


async def test_an_unreadable_record_stops_no_other_action(tmp_path: Path) -> None:
    """Not the one that runs, which stays running and succeeds; not the one that is confirmed later."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        gate = Gate(services)
        beats: list[int] = []
        engine = ActionEngine(services, "one", lambda: None, gate, beat=lambda: beats.append(1))
        broken = await engine.propose("recreate", "bot3", by="U1", why="test")
        loop = asyncio.create_task(engine.run(alone=True))
        first = await confirmed(engine, "clear_cache", "bot1")
        await gate.begun.wait()

        def garble(tx: Tx) -> None:
            assert isinstance(tx, Transaction)
            for text in ('{"no": "record"}', "{oops"):
                tx.connection.exec_driver_sql(
                    "UPDATE actions SET status = 'confirmed', record = ? WHERE id = ?", (text, broken.id)
                )

        await store.write(garble)
        seen = len(beats)
        engine.wake()
        second = await confirmed(engine, "clear_cache", "bot2")
        gate.open.set()
        for record in (first, second):
            assert (
                await until(store, record.id, lambda one: one.status.ended)
            ).status is ActionStatus.SUCCEEDED
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        assert len(beats) > seen
        assert f"among them {broken.id} of actions" in store.health.records.problem()
