"""The Docker Engine, asked in this process; its JSON is read by the product's own adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.sources.docker.shapes import from_event, from_inspect
from demo.desk import docker_views
from triage.errors import SourceBadAnswer, SourceRejected
from triage.model import utc
from triage.ports.sources import ContainerEvent, ContainerState, FileStat, LogLines

if TYPE_CHECKING:
    from demo.desk.world import World

REMEMBERED = 256
"""Events that the engine still has."""


@dataclass(slots=True)
class LabContainers:
    """The Docker Engine."""

    world: World

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None where there is none."""
        container = self.world.engine.find(name)
        return (
            from_inspect(docker_views.inspected(container, self.world.engine))
            if container is not None
            else None
        )

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container."""
        engine = self.world.engine
        return tuple(from_inspect(docker_views.inspected(one, engine)) for one in engine.containers.values())

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container."""
        container = self.world.engine.find(name)
        if container is None:
            raise SourceBadAnswer("Docker", f"no container {name}")
        place = self.world.layout.container_path(container.spec.name, folder)
        return (
            tuple(_stat(path, place, folder) for path in sorted(place.rglob("*")) if path.is_file())
            if place
            else ()
        )

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Refuse, as an engine whose log driver ships lines elsewhere: a verdict without Loki is one without logs."""
        del name, since
        raise SourceRejected("Docker", "configured logging driver does not support reading")

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield the events from ``since`` on that there are."""
        for event in await self.history(since=since, until=utc(self.world.clock.now())):
            yield event

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first."""
        first, last = since.timestamp(), until.timestamp()
        told = (each for each in list(self.world.engine.events)[-REMEMBERED:] if first <= each.at <= last)
        read = (from_event(docker_views.event(each)) for each in told)
        return tuple(each for each in read if each is not None)

    async def ready(self) -> None:
        """Answer."""


def _stat(path: Path, place: Path, folder: str) -> FileStat:
    about = path.stat()
    modified = datetime.fromtimestamp(int(about.st_mtime), UTC)
    return FileStat(f"{folder}/{path.relative_to(place)}", modified, about.st_size)
