"""What actions need: looks at the desk, the agent that touches it, and a memory of their own.

Everything here raises ``triage.errors.DeskFailure`` (the text says what and the mend) and nothing else,
unless its docstring says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.plans.agent_orders import Order, digest_of
from triage.plans.record import ActionRecord, Plan, StepRecord


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


class Project(Protocol):
    """The compose project as its files and ``.env`` say now. ``external`` False leaves out the external profile."""

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Return each service's configuration hash, as compose writes it on what it makes."""
        ...

    async def rehearsed(self, *, external: bool) -> tuple[str, ...] | None:
        """Return the containers that ``up -d`` would make anew, as a rehearsal says; None where this compose has none."""
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


@dataclass(frozen=True, slots=True)
class Signed:
    """A form as Slack sent it, with what proves that Slack did: in HTTP mode alone."""

    body: str
    timestamp: str
    signature: str


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan as the agent is shown it when somebody confirms: orders by their steps' numbers, and who confirms.

    ``token`` names the action, ``rest`` is the digest of everything that the person saw beside the orders.
    """

    token: str
    kind: str
    target: str
    orders: tuple[tuple[int, Order], ...]
    rest: str
    actor: str
    reason: str
    signed: Signed | None = None

    @property
    def digest(self) -> str:
        """The plan's digest, as the form carries it."""
        return digest_of(self.kind, self.target, self.orders, self.rest)


@dataclass(frozen=True, slots=True)
class Performed:
    """How a step went: ``note`` in one line, ``output`` as it came (not masked yet).

    ``known`` False: the agent was lost while it worked, so how far it came is not known.
    """

    ok: bool
    note: str
    output: str = ""
    known: bool = True


OnOutput = Callable[[str], None]
"""Takes a step's output so far."""


@dataclass(frozen=True, slots=True)
class NightlySnapshot:
    """A nightly snapshot that was taken, its SHA-256 (hex), and the old ones that were removed for it."""

    name: str
    sha256: str
    removed: tuple[str, ...]


class Agent(Protocol):
    """What touches the desk: carries out orders of plans it was shown, and judges each by itself."""

    async def confirm(self, shown: ShownPlan) -> None:
        """Show a plan that somebody confirms now. Raises Refused where the agent would not carry it out."""
        ...

    async def perform(self, token: str, number: int, on_output: OnOutput) -> Performed:
        """Carry out the order of a step of a confirmed plan: at most once, whatever happens."""
        ...

    async def end(self, token: str) -> None:
        """Say that an action is over: its target is free, nothing further of it is carried out."""
        ...

    async def tidy(self, token: str) -> None:
        """Remove what an action that is over left beside the bots' folders."""
        ...

    async def keep_snapshot(self, bot: str) -> NightlySnapshot:
        """Take the nightly snapshot of a bot, and remove the oldest ones. Raises Refused where it is too early."""
        ...

    async def anchor(self, sequence: int, digest: str) -> None:
        """Write the head of the audit trail into the agent's own record. Raises Refused where it goes back."""
        ...


@dataclass(frozen=True, slots=True)
class DeskAccess:
    """Everything an action looks at the desk's files with, and the agent, who alone changes anything."""

    snapshots: Snapshots
    env: EnvFile
    controllers: Controllers
    images: Images
    project: Project
    agent: Agent


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
