"""What the tests of this folder may ask for."""

from collections.abc import AsyncIterator

import pytest

from tests.crash.scene import Crashes, crashing


@pytest.fixture
async def crashes() -> AsyncIterator[Crashes]:
    """Run actions in processes that are killed."""
    async with crashing() as crashes:
        yield crashes
