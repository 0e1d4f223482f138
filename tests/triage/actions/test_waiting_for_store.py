"""An action waits for a store that is away: what was done must not be forgotten."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TypeVar, cast

import pytest
from loguru import logger

from bot.store import SqlStore
from triage.actions.context import ActionServices
from triage.actions.executor import Executor
from triage.actions.runner import ActionRunner
from triage.errors import NotStored
from triage.ports.clock import SystemClock
from triage.ports.store import Tx

T = TypeVar("T")
pytestmark = pytest.mark.slow


class AwayForAWhile:
    """A store that fails a few times, then is there."""

    def __init__(self, store: SqlStore, times: int) -> None:
        self._store = store
        self.left = times

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Fail, or write."""
        if self.left:
            self.left -= 1
            raise NotStored("away")
        return await self._store.write(work)


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Give what is logged from WARNING on."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    yield lines
    logger.remove(sink)


async def test_it_is_said_once_and_what_was_to_be_written_is(sqlite_store: SqlStore, said: list[str]) -> None:
    """Not each half second: the state is one."""
    away = AwayForAWhile(sqlite_store, 3)
    services = cast("ActionServices", SimpleNamespace(store=away, clock=SystemClock()))
    runner = ActionRunner(services, cast("Executor", None), "me", lambda: None)
    await runner._write(lambda tx: tx.notes.put("done", "step 1"))
    assert await sqlite_store.read(lambda tx: tx.notes.get("done")) == "step 1"
    assert said == ["an action waits for the store"]
