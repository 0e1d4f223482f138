"""What the tests of this folder may ask for."""

from collections.abc import AsyncIterator, Iterator

import pytest

from demo.slack import SlackServer
from tests.crash.scene import Crashes, crashing
from tests.servers.forked import Mother, preloaded


@pytest.fixture(scope="session")
def mother() -> Iterator[Mother]:
    """Run the process that services are forked from: a start takes half a second, not the seconds of its imports."""
    with preloaded() as mother:
        yield mother


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Run a workspace."""
    async with SlackServer() as server:
        yield server


@pytest.fixture
async def crashes() -> AsyncIterator[Crashes]:
    """Run actions in processes that are killed."""
    async with crashing() as crashes:
        yield crashes
