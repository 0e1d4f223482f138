"""The store on both of its databases, for tests that must hold on each.

Each test has a database of its own: a copy of one whose schema was made once, by the migrations (``tests.schema``).
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from bot.store import SqlStore, open_store
from bot.store.migrate import migrate
from tests.schema import with_schema
from tests.servers.postgres import PostgresCluster


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_database(postgres_cluster: PostgresCluster) -> AsyncIterator[str]:
    """Make a PostgreSQL database with the schema and nothing in it; gives its name."""
    async with postgres_cluster.database() as url:
        await asyncio.to_thread(migrate, url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a SQLite file of the test's own."""
    return with_schema(tmp_path / "triage.db")


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    """Open a store on a SQLite file of the test's own; its schema is up to date, so nobody looks at it first."""
    store = SqlStore(sqlite_url)
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a database without content: once a SQLite file, once a real PostgreSQL."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_copy_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database without a schema, for tests of the migrations."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/triage.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def postgres_copy_url(postgres_cluster: PostgresCluster, migrated_database: str) -> AsyncIterator[str]:
    """Make a PostgreSQL database of the test's own and give its URL."""
    async with postgres_cluster.database(like=migrated_database) as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """Open a store on each database."""
    async with open_store(store_url) as opened:
        yield opened


async def stored_signals(store: SqlStore) -> list[tuple[str, str]]:
    """Return name and status of each signal that waits in the inbox, in the order they were stored."""
    stored = await store.read(lambda tx: tx.signals.inbox(100))
    return [(one.signal.name, one.signal.status.value) for one in stored]
