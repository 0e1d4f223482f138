"""What actions need: hands on the desk, and a memory of their own.

Everything here raises ``triage.errors.DeskFailure`` (the text says what and the mend) and nothing else,
unless its docstring says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.actions.model import ActionRecord, Plan, StepRecord


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended. ``exit_code`` is None where it was killed for taking too long.

    ``output`` is stdout and stderr as they came, capped: the beginning and the end are kept.
    """

    exit_code: int | None
    output: str


class Commands(Protocol):
    """Runs programs on the desk's host from argument lists, never through a shell."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        folder: str,
        timeout_seconds: float,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run a program; ``on_output`` hears the output so far. A cancelled call kills it and its children."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An archive in ``backups/`` as found there. ``size`` in bytes; ``taken_at`` from its name."""

    name: str
    bot: str
    taken_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Room:
    """Disk space in bytes: what is free, and what is asked for."""

    free: int
    needed: int


class Snapshots(Protocol):
    """The bots' config snapshots: ``backups/<bot>_<stamp>.tar.gz`` and the folders they are made of."""

    async def list(self, bot: str) -> tuple[Snapshot, ...]:
        """Return a bot's archives, the newest first; pre-rollback ones too."""
        ...

    async def checksum(self, name: str) -> str:
        """Return the SHA-256 (hex) of an archive."""
        ...

    async def room_to_take(self, bot: str) -> Room:
        """Return the space that a new snapshot needs at the most."""
        ...

    async def room_to_extract(self, name: str) -> Room:
        """Return the space that an archive needs once extracted. Reads it through: a corrupt one raises."""
        ...

    async def why_not_swap(self, bot: str) -> str:
        """Return why the bot's folder cannot be exchanged in one rename, empty when it can be."""
        ...

    async def take(self, bot: str, name: str) -> Snapshot:
        """Write a new archive: complete and on disk under its name, or not there at all."""
        ...

    async def extract(self, bot: str, name: str, *, sha256: str, token: str) -> str:
        """Verify an archive and extract it beside the bot's folder, on disk. Returns a line on what is in it.

        Refuses paths that escape, links, devices, foreign folders, and an archive whose checksum is another.
        """
        ...

    async def swap(self, bot: str, token: str) -> None:
        """Exchange the bot's folder for the extracted one in one rename; what is not restored stays."""
        ...

    async def discard(self, bot: str, token: str) -> None:
        """Remove what lies beside the bot's folder under a token; nothing there is fine."""
        ...

    async def swapped(self, bot: str, token: str) -> bool | None:
        """Whether the swap under a token happened: None where nothing of it is on disk."""
        ...

    async def prune(self, bot: str, *, keep: int) -> tuple[str, ...]:
        """Remove the oldest archives beyond the newest ``keep``; pre-rollback ones stay. Returns the names."""
        ...


class EnvFile(Protocol):
    """``env/.env`` and its template."""

    async def read(self) -> dict[str, str]:
        """Return the keys and values of ``.env``."""
        ...

    async def template(self) -> dict[str, str]:
        """Return the keys and values of ``.env.template``."""
        ...

    async def set(self, key: str, value: str, *, was: str) -> None:
        """Change one key, atomically, comments kept. Refuses when its value is no longer ``was``."""
        ...


@dataclass(frozen=True, slots=True)
class ControllerFile:
    """A controller's YAML: its path below ``conf/``, and its top-level scalars as text."""

    file: str
    values: Mapping[str, str]


class Controllers(Protocol):
    """The controller YAML files of a bot, below ``data/<bot>/conf``."""

    async def read(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return the bot's controller files."""
        ...

    async def set(self, bot: str, file: str, key: str, *, value: bool, was: bool) -> None:
        """Change one boolean, atomically, comments kept. Refuses when it is no longer ``was``."""
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


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything an action touches the desk with."""

    commands: Commands
    snapshots: Snapshots
    env: EnvFile
    controllers: Controllers
    images: Images


class Actions(Protocol):
    """Actions, their plans, steps and locks: part of the memory (see ``triage.ports.store``)."""

    def add(self, record: ActionRecord) -> ActionRecord:
        """Store a new action and return it with its id and handle."""
        ...

    def save(self, record: ActionRecord) -> None:
        """Store what changed in an action."""
        ...

    def get(self, action_id: int) -> ActionRecord | None:
        """Return an action; inside a write it stays locked until the commit."""
        ...

    def by_handle(self, handle: str) -> ActionRecord | None:
        """Return the action that a button's opaque id stands for; locked as by ``get``."""
        ...

    def proposed(self) -> list[ActionRecord]:
        """Return every proposal that is open, oldest first."""
        ...

    def of_incident(self, incident_id: int) -> list[ActionRecord]:
        """Return the actions of an incident, oldest first."""
        ...

    def children(self, action_id: int) -> list[ActionRecord]:
        """Return the actions that follow from one: its undo, its way out, its fresh proposal."""
        ...

    def recent(self, limit: int = 50) -> list[ActionRecord]:
        """Return the newest actions, the newest first."""
        ...

    def with_status(self, *statuses: str) -> list[ActionRecord]:
        """Return the actions in one of these statuses, oldest first; inside a write they stay locked."""
        ...

    def to_verify(self, now: datetime) -> list[ActionRecord]:
        """Return ended actions whose verification is due and under nobody's lease; locked as by ``get``."""
        ...

    def keep_plan(self, action_id: int, plan: Plan) -> None:
        """Keep a plan that is shown to somebody."""
        ...

    def plan(self, action_id: int, digest: str) -> Plan | None:
        """Return a plan that was shown, by its digest."""
        ...

    def put_steps(self, action_id: int, steps: Sequence[StepRecord]) -> None:
        """Store steps, new ones or changed ones."""
        ...

    def steps(self, action_id: int) -> list[StepRecord]:
        """Return the steps of an action in order."""
        ...

    def locked_by(self, target: str) -> int | None:
        """Return the action that holds a target, the desk's holder included; None when it is free."""
        ...

    def lock(self, target: str, action_id: int, now: datetime) -> int | None:
        """Take a target for an action: None when taken, else the id of the action that holds it."""
        ...

    def unlock(self, action_id: int) -> None:
        """Give back what an action holds."""
        ...
