"""The store: a writer thread with shared commits, and readers on snapshots of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa

from bot.store import database_errors
from bot.store.deadlines import Deadlines
from bot.store.engine import open_engine
from bot.store.health import GRANT, REPAIR, StoreHealth
from bot.store.migrate import migrate
from bot.store.transaction import Transaction
from bot.store.writer import TRANSACTION_SECONDS, Writer
from triage.errors import StoreUnavailable
from triage.model import Signal
from triage.ports.store import WRITE_SECONDS, Tx

T = TypeVar("T")
READERS = 4
READ_SECONDS = 10.0
"""How long a read may take; then it raises StoreUnavailable: the store does not answer."""


class SqlStore:
    """Implements ``triage.ports.store.Store``. ``close`` finishes what is queued."""

    def __init__(self, url: str, *, audit_key: bytes = b"") -> None:
        self.health = StoreHealth()
        self.writer = Writer(open_engine(url, writer=True), self.health, audit_key)
        self._deadlines = Deadlines()
        self._reading = open_engine(url, writer=False)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    @property
    def alone(self) -> bool:
        """Whether no other process shares this database: then what a dead process had claimed is free at once."""
        return self._reading.dialect.name == "sqlite"

    async def write(
        self, work: Callable[[Tx], T], *, within: float = WRITE_SECONDS, patient: bool = False
    ) -> T:
        """Run a unit of work and return its answer once it is on disk, or raise within so many seconds.

        ``patient``: what is written meanwhile goes first.
        """
        return await self.writer.run(work, within, patient=patient)

    async def keep(self, signals: Sequence[Signal], stored: Callable[[], None] = lambda: None) -> int:
        """Store signals, in one statement with those that others keep at this moment. Returns how many were new.

        ``stored`` is called in this loop where some are new, shortly before their commit.
        """
        return await self.writer.keep(signals, stored)

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a reading unit on a consistent snapshot. Raises StoreUnavailable, or what the unit raised."""
        limit = asyncio.timeout(READ_SECONDS)
        try:
            async with limit:
                return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)
        except TimeoutError:
            if not limit.expired():
                raise  # of the unit itself
            raise StoreUnavailable(f"the store did not answer within {READ_SECONDS:g} s") from None

    def _read(self, work: Callable[[Tx], T]) -> T:
        try:
            return self._read_once(work)
        except sa.exc.DBAPIError as error:
            if not database_errors.unavailable(error):
                raise
            if not error.connection_invalidated:
                self.health.unreadable(error)
                raise database_errors.unreadable(error) from error
        # A connection that was cut meanwhile is found so at its first use; a new one is tried once.
        try:
            return self._read_once(work)
        except sa.exc.DBAPIError as error:
            raise database_errors.unreadable(error) from error

    def _read_once(self, work: Callable[[Tx], T]) -> T:
        with (
            self._reading.connect() as connection,
            self._deadlines.limit(connection, TRANSACTION_SECONDS),
            connection.begin(),
        ):
            return work(Transaction(connection, writing=False, unreadable=self.health.records))

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        await asyncio.to_thread(self._readers.shutdown)
        self._reading.dispose()
        await asyncio.to_thread(self.writer.close)


@asynccontextmanager
async def open_store(
    url: str, *, migrate_apart: bool = False, audit_key: bytes = b""
) -> AsyncIterator[SqlStore]:
    """Bring the schema up to date and open the store. Raises SettingError or StoreUnavailable.

    ``audit_key`` signs the lines of the audit trail.

    ``migrate_apart``: for a process that stays, which shall not keep what only the upgrade needed.
    """
    try:
        await asyncio.to_thread(migrate, url, apart=migrate_apart)
    except sa.exc.DBAPIError as error:
        mend = GRANT if database_errors.refused(error) else REPAIR
        raise StoreUnavailable(
            f"the store cannot be opened at TRIAGE_DATABASE_URL: {database_errors.in_one_line(error)}"
            f"{f'; {mend}' if database_errors.damage(error) else ''}"
        ) from error
    except UnicodeDecodeError as error:  # of SQLite's own words about a schema whose names are damaged
        raise StoreUnavailable(f"the database's schema is damaged: {REPAIR}", damaged=True) from error
    store = SqlStore(url, audit_key=audit_key)
    try:
        yield store
    finally:
        await store.close()
