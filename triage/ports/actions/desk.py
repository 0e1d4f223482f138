"""The desk's files, images and compose project, as an action looks at them: nothing is changed through these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An archive in ``backups/`` as found there. ``size`` in bytes; ``taken_at`` from its name."""

    name: str
    bot: str
    taken_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """Disk space in bytes: what is free, and what is asked for."""

    free: int
    needed: int


@dataclass(frozen=True, slots=True)
class Differences:
    """What a snapshot would change in a bot's folder: how many files change, come back and go; some of their names.

    ``diff``: the small texts line by line (``-`` is now, ``+`` is the snapshot), masked and cut.
    """

    changed: int
    back: int
    gone: int
    names: tuple[str, ...]
    diff: str


class Snapshots(Protocol):
    """Looks at the bots' config snapshots: ``backups/<bot>_<stamp>.tar.gz`` and the folders they are made of."""

    async def list(self, bot: str) -> tuple[Snapshot, ...]:
        """Return a bot's archives, the newest first; pre-rollback ones too."""
        ...

    async def checksum(self, name: str) -> str:
        """Return the SHA-256 (hex) of an archive."""
        ...

    async def room_to_take(self, bot: str) -> DiskRoom:
        """Return the space that a new snapshot needs at the most."""
        ...

    async def room_to_extract(self, name: str) -> DiskRoom:
        """Return the space that an archive needs once extracted. Reads it through: a corrupt one raises."""
        ...

    async def differences(self, bot: str, name: str) -> Differences:
        """Return what an archive would change in the bot's folder. Reads both through."""
        ...

    async def why_not_swap(self, bot: str) -> str:
        """Return why the bot's folder cannot be exchanged in one rename, empty when it can be."""
        ...

    async def swapped(self, bot: str, token: str) -> bool | None:
        """Whether the swap under a token happened: None where nothing of it is on disk."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceImage:
    """The image that a service would be made from, and whether it is on the host."""

    image: str
    here: bool


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What ``down`` would end: containers by name, as a rehearsal says; where there is none, every service of the files."""

    containers: tuple[str, ...]
    services: tuple[str, ...]


class Project(Protocol):
    """The compose project as its files and ``.env`` say now. ``external`` False leaves out the external profile."""

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Return each service's configuration hash, as compose writes it on what it makes."""
        ...

    async def rehearsed(self, *, external: bool) -> tuple[str, ...] | None:
        """Return the containers that ``up -d`` would make anew, as a rehearsal says; None where this compose has none."""
        ...

    async def taken_down(self) -> TakenDown:
        """Return what ``down`` would end, with every profile of the desk."""
        ...

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Return the image of each service that is on, and whether it is on the host. Raises SourceError too."""
        ...

    async def name(self) -> str:
        """Return the name that ``.env`` or the files give the project; empty where they give none."""
        ...


class EnvFile(Protocol):
    """``env/.env`` and its template."""

    async def read(self) -> dict[str, str]:
        """Return the keys and values of ``.env``."""
        ...

    async def template(self) -> dict[str, str]:
        """Return the keys and values of ``.env.template``."""
        ...


@dataclass(frozen=True, slots=True)
class ControllerFile:
    """A YAML of a controller or script: its path below ``conf/``, and its top-level scalars as text.

    Lists of names and the names of ``markets`` are there with commas. ``problem``: why it could not be read;
    ``runs``: the bot's newest log is named for this script.
    """

    file: str
    values: Mapping[str, str]
    problem: str = ""
    runs: bool = False


class Controllers(Protocol):
    """The controller YAML files of a bot, below ``data/<bot>/conf``."""

    async def read(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return the bot's controller files."""
        ...


@dataclass(frozen=True, slots=True)
class Image:
    """An image the engine has: its tag, id, size in bytes, when it was made."""

    tag: str
    id: str
    size: int
    created_at: datetime


class Images(Protocol):
    """The images of the Docker Engine. Raises SourceError."""

    async def list(self, repository: str) -> tuple[Image, ...]:
        """Return the tagged images of a repository, the newest first."""
        ...
