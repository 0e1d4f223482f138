"""What several checks of one triage ask the engine alike is asked once: a hundred bots have a hundred containers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from triage.ports.sources import ContainerEvent, Containers, ContainerState, FileStat, LogLines

T = TypeVar("T")


class SharedContainers:
    """The port ``Containers`` for the time of one triage: each state, list and past is asked for once."""

    def __init__(self, containers: Containers) -> None:
        self._containers = containers
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def _once(self, key: Hashable, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(question())
        # One check that is out of time does not take the answer from the others.
        return cast("T", await asyncio.shield(task))

    async def aclose(self) -> None:
        """End the questions that nobody waits for any more."""
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None when there is no container of that name."""
        return await self._once(("inspect", name), lambda: self._containers.inspect(name))

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container."""
        return await self._once("list", self._containers.list)

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events."""
        key = ("history", since, until)
        return await self._once(key, lambda: self._containers.history(since=since, until=until))

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Return the last lines of a container."""
        key = ("last lines", name, since)
        return await self._once(key, lambda: self._containers.last_lines(name, since=since))

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container."""
        return await self._once(("files", name, folder), lambda: self._containers.files(name, folder))

    def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield container events."""
        return self._containers.events(since=since)

    async def ready(self) -> None:
        """Return when the engine answers."""
        await self._once("ready", self._containers.ready)


@asynccontextmanager
async def shared(containers: Containers) -> AsyncIterator[SharedContainers]:
    """Share questions until the triage is over."""
    sharing = SharedContainers(containers)
    try:
        yield sharing
    finally:
        await sharing.aclose()
