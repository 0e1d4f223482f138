"""Our own Slack and a running sender."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.store import SqlStore
from demo.slack import AppConfig, SlackServer
from demo.slack.settings import BOT_SCOPES
from tests.bot.slack.workbench import Bench, bench_on


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Start a workspace of our own, whose app may look channels up by name."""
    async with SlackServer(AppConfig(scopes=(*BOT_SCOPES, "channels:read", "groups:read"))) as server:
        yield server


@pytest.fixture
async def idle_bench(sqlite_store: SqlStore, slack: SlackServer) -> AsyncIterator[Bench]:
    """Put a sender together without starting it."""
    async with bench_on(sqlite_store, slack) as bench:
        yield bench


@pytest.fixture
async def bench(idle_bench: Bench) -> AsyncIterator[Bench]:
    """Run a sender for the length of a test."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(idle_bench.sender.run())
        yield idle_bench
        idle_bench.sender.stop()
