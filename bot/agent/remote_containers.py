"""The containers as the agent sees them: the port of the Docker Engine, asked over the agent's socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.agent import protocol as p
from bot.agent.client import (
    NAME,
    AgentUnreachable,
    Wire,
    adapter,
)
from triage.desk_sections.bots import CONFIGURATION
from triage.errors import (
    DeskFailure,
    Refused,
    SourceBadAnswer,
    SourceRejected,
    SourceUnreachable,
)
from triage.ports.sources import ContainerEvent, ContainerState, FileStat, LogLines

T = TypeVar("T")


class RemoteContainers:
    """Implements ``triage.ports.sources.Containers``."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def _ask(self, request: p.Ask, kind: type[T] | Any) -> T:  # noqa: ANN401 - as Wire.ask
        try:
            found: T = await self._wire.ask(request, kind)
        except AgentUnreachable as error:
            raise SourceUnreachable(NAME, str(error)) from error
        except (DeskFailure, Refused) as error:
            raise SourceRejected(NAME, str(error)) from error
        return found

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None when the desk has no container of that name."""
        try:
            request = p.Inspect(container=name)
        except ValidationError:
            return None
        found: ContainerState | None = await self._ask(request, ContainerState | None)
        return found

    async def list(self) -> tuple[ContainerState, ...]:
        """Return the desk's containers."""
        found: tuple[ContainerState, ...] = await self._ask(p.ListContainers(), tuple[ContainerState, ...])
        return found

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below one of the agent's own folders of code, or of configuration, in a bot's container."""
        try:
            request = (
                p.CodeTimes(ask="configuration_times", container=name)
                if folder == CONFIGURATION
                else p.CodeTimes(container=name)
            )
        except ValidationError as error:
            raise SourceRejected(NAME, f"{name!r} cannot be a container's name") from error
        found: dict[str, tuple[FileStat, ...]] = await self._ask(request, dict[str, tuple[FileStat, ...]])
        if folder not in found:
            raise SourceRejected(NAME, f"paths.caches of the agent's desk.yaml has nothing in {folder}")
        return found[folder]

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Return the last lines that a bot's container wrote since then, masked."""
        try:
            request = p.LastLines(container=name, since=since.timestamp())
        except ValidationError as error:
            raise SourceRejected(NAME, f"{name!r} cannot be a container's name") from error
        found: LogLines = await self._ask(request, LogLines)
        return found

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past events of the desk's containers, oldest first."""
        request = p.History(since=since.timestamp(), until=until.timestamp())
        found: tuple[ContainerEvent, ...] = await self._ask(request, tuple[ContainerEvent, ...])
        return found

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield events from ``since`` on, then live ones, until the connection breaks (raises)."""
        read: TypeAdapter[ContainerEvent] = adapter(ContainerEvent)
        try:
            async for what, data in self._wire.frames(
                p.FollowEvents(since=since.timestamp()), seconds=86_400
            ):
                if what == "piece":
                    yield read.validate_python(data)
        except AgentUnreachable as error:
            raise SourceUnreachable(NAME, str(error)) from error
        except ValidationError as error:
            raise SourceBadAnswer(NAME, "the agent told an event of another shape") from error
        raise SourceUnreachable(NAME, "the agent ended its stream of events")

    async def ready(self) -> None:
        """Return when the agent and the engine behind it answer."""
        await self._ask(p.Hello(), dict[str, Any])
