"""What the tests of this folder may ask for."""

from collections.abc import AsyncIterator, Iterator

import pytest

from demo.slack import SlackServer
from tests.crash.scene import Crashes, crashing
from tests.servers.forked import shared


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Run a workspace; what services are forked from is there by then, so that they start at once."""
    shared()
    async with SlackServer() as server:
        yield server


@pytest.fixture
def crashes() -> Iterator[Crashes]:
    """Run actions in processes that are killed."""
    with crashing() as crashes:
        yield crashes
