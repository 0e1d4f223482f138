"""The store: a writer thread with shared commits, and readers on snapshots of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.store.transaction import Transaction
from bot.store.writer import UNAVAILABLE, Writer
from triage.errors import StoreUnavailable
from triage.model import Signal
from triage.ports.store import Tx

T = TypeVar("T")
READERS = 4


class SqlStore:
    """Implements ``triage.ports.store.Store``. ``close`` finishes what is queued."""

    def __init__(self, url: str) -> None:
        self.writer = Writer(open_engine(url, writer=True))
        self._reading = open_engine(url, writer=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    @property
    def alone(self) -> bool:
        """Whether no other process shares this database: then what a dead process had claimed is free at once."""
        return self._reading.dialect.name == "sqlite"

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run a unit of work and return its answer once it is on disk."""
        return await self.writer.run(work)

    async def keep(self, signals: Sequence[Signal]) -> int:
        """Store signals, in one statement with those that others keep at this moment. Returns how many were new."""
        return await self.writer.keep(signals)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a reading unit on a consistent snapshot."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)
        except UNAVAILABLE as error:
            raise StoreUnavailable(
                f"the store cannot be read: {getattr(error, 'orig', None) or error}"
            ) from error

    def _read(self, work: Callable[[Tx], T]) -> T:
        with self._reading.begin() as connection:
            return work(Transaction(connection, writing=False))

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        await asyncio.to_thread(self.writer.close)
        await asyncio.to_thread(self._readers.shutdown)
        self._reading.dispose()


@asynccontextmanager
async def open_store(url: str, *, lean: bool = False) -> AsyncIterator[SqlStore]:
    """Bring the schema up to date and open the store. Raises SettingError or StoreUnavailable.

    ``lean``: for a process that stays, which shall not keep what only the upgrade needed.
    """
    try:
        await asyncio.to_thread(migrate, url, aside=lean)
    except sa.exc.DBAPIError as error:
        why = " ".join(str(error.orig).split())
        raise StoreUnavailable(f"the store cannot be opened at TRIAGE_DATABASE_URL: {why}") from error
    store = SqlStore(url)
    try:
        yield store
    finally:
        await store.close()
