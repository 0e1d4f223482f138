"""What the Docker Engine is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from triage.errors import SourceBadAnswer
from triage.ports.sources.logs import LogLines
from triage.ports.sources.unread import UNREADABLE, unread_words


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What the Docker Engine says of a container. ``status``: running | exited | restarting | paused | created | dead.

    ``health`` is healthy | unhealthy | starting, or empty where it has no health check.
    """

    name: str
    id: str
    status: str
    image: str
    image_id: str
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    restart_count: int
    exit_code: int
    oom_killed: bool
    health: str
    error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    long_up_seconds: float | None = None
    """In a list: about how long it has been up, where that is two hours or more and it is not unhealthy."""

    @property
    def unread(self) -> bool:
        """It is an entry of the list that cannot be read: whether it runs is not known."""
        return self.status == UNREADABLE

    @property
    def running(self) -> bool:
        """It runs now (not paused, not between two restarts)."""
        return self.status == "running"


COMPOSE_LABELS = "com.docker.compose."
"""What the labels begin with that Compose gives its containers; the six below are read."""
PROJECT_LABEL = f"{COMPOSE_LABELS}project"
SERVICE_LABEL = f"{COMPOSE_LABELS}service"
FOLDER_LABEL = f"{COMPOSE_LABELS}project.working_dir"
FILES_LABEL = f"{COMPOSE_LABELS}project.config_files"
ENV_FILE_LABEL = f"{COMPOSE_LABELS}project.environment_file"
HASH_LABEL = f"{COMPOSE_LABELS}config-hash"


def unread_container(name: str = "") -> ContainerState:
    """Return a placeholder for an unreadable entry of the list, with its name if at least that can be read."""
    return ContainerState(
        name=name,
        id="",
        status=UNREADABLE,
        image="",
        image_id="",
        created_at=None,
        started_at=None,
        finished_at=None,
        restart_count=0,
        exit_code=0,
        oom_killed=False,
        health="",
    )


def unread_containers(listed: Sequence[ContainerState]) -> str:
    """Return what to say of the containers that cannot be read; empty where all can."""
    return unread_words(sum(one.unread for one in listed), len(listed), "containers of the engine's list")


def every_container(listed: tuple[ContainerState, ...]) -> tuple[ContainerState, ...]:
    """Return a list for who takes what is not in it for absent. Raises SourceBadAnswer where one cannot be read."""
    if unread := unread_containers(listed):
        raise SourceBadAnswer("Docker", unread)
    return listed


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of the engine: ``action`` die | oom | restart | start | kill | stop | destroy | create | ….

    ``health_status`` is among them, with the health after a colon in the engine's own words. Of an event that could not be
    read the action is ``UNREADABLE``, and its attribute ``line`` what came.
    """

    action: str
    container: str
    container_id: str
    image: str
    at: datetime
    time_ns: int
    exit_code: int | None = None
    signal: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file inside a container: path and modification time."""

    path: str
    modified_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container gave: output is capped, ``truncated`` says so."""

    exit_code: int
    output: str
    truncated: bool = False


class Containers(Protocol):
    """Asks the Docker Engine. Times are aware; every method raises SourceError where there is no answer."""

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None when there is no container of that name."""
        ...

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container, stopped ones too (from the list API: restart counts may be 0).

        One that cannot be read is as ``unread_container``: who concludes from absence asks ``every_container``.
        """
        ...

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container, links left out; empty when there is no such folder."""
        ...

    def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield container events from ``since`` on, then live ones, until the connection breaks (raises)."""
        ...

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first (the engine remembers only its last 256 events)."""
        ...

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Return the last lines that a container wrote since then, masked; a container of that name there must be.

        They are what the engine keeps (1,000 at the most), for when Loki cannot be asked.
        """
        ...

    async def ready(self) -> None:
        """Return when the engine answers; raise otherwise."""
        ...
