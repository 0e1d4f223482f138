"""Shared commits: what a batch of webhooks is told, and a session that is ended in the middle."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from bot.store import SqlStore, open_store
from tests.contracts.store_samples import note, signal
from triage.ports.store import Tx


@contextmanager
def held(store: SqlStore) -> Iterator[None]:
    """Hold the writer's thread, so that what is asked for meanwhile becomes one batch."""
    go = Event()
    holding = asyncio.ensure_future(store.write(lambda _: go.wait(5)))
    try:
        yield
    finally:
        go.set()
        assert not holding.cancelled()


async def test_signals_of_a_batch_are_counted_for_each_of_its_webhooks(store: SqlStore) -> None:
    """Two webhooks bring the same new alert at once: it is new for one of them."""
    with held(store):
        await asyncio.sleep(0.05)
        asked = [
            asyncio.ensure_future(store.keep(signals))
            for signals in ([signal("a"), signal("b")], [signal("b"), signal("c")], [signal("a")])
        ]
        await asyncio.sleep(0.05)
    assert await asyncio.gather(*asked) == [2, 1, 0]


async def test_closing_finishes_what_was_asked_for(store_url: str) -> None:
    """Nothing that was accepted is lost by a shutdown, and a closed store says that it is closed."""
    async with open_store(store_url) as store:
        asked = [asyncio.ensure_future(store.write(note(f"k{number}"))) for number in range(20)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [f"k{number}" for number in range(20)]
    async with open_store(store_url) as store:
        assert len(await store.read(lambda tx: tx.notes.all("k"))) == 20


async def test_a_connection_cut_in_the_middle_is_made_anew(postgres_url: str) -> None:
    """An administrator ends our sessions: the unit is run again, nobody notices."""
    async with open_store(postgres_url) as store:
        await store.write(note("before"))
        async with open_store(postgres_url) as other:
            await other.writer.run(_end_the_others)
        assert await store.write(note("after")) == "after"
        assert await store.read(lambda tx: tx.notes.get("before")) == "there"


def _end_the_others(tx: Tx) -> None:
    tx.connection.exec_driver_sql(  # type: ignore[attr-defined] # the SQL store's own
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
