"""The store on both of its databases, for tests that must hold on each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import SqlStore, open_store


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """Open a store on a SQLite file of the test's own."""
    async with open_store(f"sqlite:///{tmp_path}/triage.db") as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database: once a SQLite file, once a real PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/triage.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """Open a store on each database."""
    async with open_store(store_url) as opened:
        yield opened
