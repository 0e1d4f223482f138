"""The bot's side of the agent's socket: the same ports as an agent in this process, asked over a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.agent import protocol as p
from triage import errors
from triage.desk import CONFIGURATION
from triage.errors import (
    DeskFailure,
    Refused,
    SourceBadAnswer,
    SourceError,
    SourceRejected,
    SourceUnreachable,
)
from triage.plans.agent_orders import archive_parts
from triage.ports.actions import (
    ControllerFile,
    DeskAccess,
    Differences,
    DiskRoom,
    Hear,
    Image,
    NightlySnapshot,
    Performed,
    ServiceImage,
    ShownPlan,
    Snapshot,
)
from triage.ports.sources import ContainerEvent, ContainerState, FileStat

T = TypeVar("T")
NAME = "Docker"
"""As operators know what is asked through the agent's looks."""
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 35.0
ARCHIVE_SECONDS, STEP_SECONDS = 600.0, 900.0
IDLE_SECONDS = 30.0
"""A stream of events is quiet for long: after this the agent is asked whether it is still there."""
_SOURCE_ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, SourceError)
    and kind not in {SourceError, errors.SourceNotConfigured}
}


class AgentUnreachable(Exception):
    """The agent cannot be reached, or the connection to it broke. ``asked``: the request had been sent."""

    def __init__(self, why: str, *, asked: bool) -> None:
        super().__init__(why)
        self.asked = asked


class Wire:
    """Asks the agent at ``unix:///…``, one request a connection."""

    def __init__(self, address: str) -> None:
        self.path = address.removeprefix("unix://")

    @asynccontextmanager
    async def _asked(self, request: p.Ask) -> AsyncIterator[asyncio.StreamReader]:
        """Send a request. Raises Lost."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.path, limit=64 * 1024)
        except (OSError, TimeoutError) as error:
            why = getattr(error, "strerror", None) or "no answer"
            said = f"the agent at {self.path} cannot be reached ({why}); is hbot-triage agent running"
            raise AgentUnreachable(said, asked=False) from error
        try:
            with contextlib.suppress(ConnectionError):  # refused before it was read: the answer says why
                writer.write(p.frame(request.model_dump(mode="json")))
                await writer.drain()
            yield reader
        finally:
            writer.close()

    async def frames(self, request: p.Ask, *, seconds: float) -> AsyncIterator[tuple[str, Any]]:
        """Yield the pieces and then the answer. Raises Lost, Refused, DeskFailure, SourceError."""
        async with self._asked(request) as reader:
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        found = await p.read_frame(reader, p.ANSWER_MAX)
                except (p.BrokenFrame, TimeoutError) as error:
                    why = str(error) or f"no answer within {seconds:g} s"
                    raise AgentUnreachable(f"the agent was lost: {why}", asked=True) from error
                if found.get("type") == "error":
                    raise _error(str(found.get("kind")), str(found.get("why")))
                yield str(found.get("type")), found.get("data")
                if found.get("type") == "answer":
                    return

    async def ask(self, request: p.Ask, kind: type[T] | Any, *, seconds: float = ANSWER_SECONDS) -> T:  # noqa: ANN401 - a type form
        """Ask and return the answer as ``kind``. Raises Lost, Refused, DeskFailure, SourceError."""
        answer: Any = None
        async for what, data in self.frames(request, seconds=seconds):
            answer = data if what == "answer" else answer
        try:
            read: T = _adapter(kind).validate_python(answer)
        except ValidationError as error:
            said = "the agent answered something else than was asked; is it of this version"
            raise SourceBadAnswer(NAME, said) from error
        return read


_adapters: dict[str, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type form
    return _adapters.setdefault(str(kind), TypeAdapter(kind))


def _error(kind: str, why: str) -> Exception:
    if kind == "SourceNotConfigured":
        return errors.SourceNotConfigured(NAME)
    if kind in _SOURCE_ERRORS:
        return _SOURCE_ERRORS[kind](NAME, why)
    if kind == "refused":
        return Refused(why)
    if kind == "denied":
        return AgentUnreachable(f"the agent does not let this process in: {why}", asked=False)
    if kind == "busy":
        return AgentUnreachable(f"the agent is busy: {why}", asked=False)
    return DeskFailure(why if kind == "desk" else f"the agent did not take the request: {why}")


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

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past events of the desk's containers, oldest first."""
        request = p.History(since=since.timestamp(), until=until.timestamp())
        found: tuple[ContainerEvent, ...] = await self._ask(request, tuple[ContainerEvent, ...])
        return found

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield events from ``since`` on, then live ones, until the connection breaks (raises)."""
        read: TypeAdapter[ContainerEvent] = _adapter(ContainerEvent)
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


class RemoteDeskAccess:
    """Implements every port of ``DeskAccess`` over the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def ask(self, request: p.Ask, kind: type[T] | Any, *, seconds: float = ANSWER_SECONDS) -> T:  # noqa: ANN401 - as Wire.ask
        """Ask, and turn a lost agent into DeskFailure."""
        try:
            found: T = await self._wire.ask(request, kind, seconds=seconds)
        except AgentUnreachable as error:
            raise DeskFailure(str(error)) from error
        return found


def _built(request: type[p.Ask], /, **values: object) -> Any:  # noqa: ANN401 - the request of that kind
    """Build a request; what cannot travel is a DeskFailure, as it would be on the other side."""
    try:
        return request.model_validate(values)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise DeskFailure(f"the agent takes no such {where}") from error


class RemoteSnapshots(RemoteDeskAccess):
    """Implements ``triage.ports.actions.Snapshots``."""

    async def list(self, bot: str) -> tuple[Snapshot, ...]:
        """Return a bot's archives, the newest first; pre-rollback ones too."""
        found: tuple[Snapshot, ...] = await self.ask(_built(p.ListSnapshots, bot=bot), tuple[Snapshot, ...])
        return found

    async def checksum(self, name: str) -> str:
        """Return the SHA-256 (hex) of an archive."""
        found: str = await self.ask(_archive("checksum", name), str, seconds=ARCHIVE_SECONDS)
        return found

    async def room_to_take(self, bot: str) -> DiskRoom:
        """Return the space that a new snapshot needs at the most."""
        found: DiskRoom = await self.ask(_built(p.Folder, ask="room_to_take", bot=bot), DiskRoom)
        return found

    async def room_to_extract(self, name: str) -> DiskRoom:
        """Return the space that an archive needs once extracted."""
        found: DiskRoom = await self.ask(_archive("room_to_extract", name), DiskRoom, seconds=ARCHIVE_SECONDS)
        return found

    async def differences(self, bot: str, name: str) -> Differences:
        """Return what an archive would change in the bot's folder."""
        del bot  # the archive's name holds it
        found: Differences = await self.ask(
            _archive("differences", name), Differences, seconds=ARCHIVE_SECONDS
        )
        return found

    async def why_not_swap(self, bot: str) -> str:
        """Return why the bot's folder cannot be exchanged in one rename, empty when it can be."""
        found: str = await self.ask(_built(p.Folder, ask="why_not_swap", bot=bot), str)
        return found

    async def swapped(self, bot: str, token: str) -> bool | None:
        """Whether the swap under a token happened: None where nothing of it is on disk."""
        found: bool | None = await self.ask(_built(p.Swapped, bot=bot, token=token), bool | None)
        return found


def _archive(ask: str, name: str) -> Any:  # noqa: ANN401 - as _built
    bot, stamp, before = archive_parts(name)
    return _built(p.Archive, ask=ask, bot=bot, stamp=stamp, before_rollback=before)


class RemoteEnv(RemoteDeskAccess):
    """Implements ``triage.ports.actions.EnvFile``: values of known keys, of the others a stand-in."""

    async def read(self) -> dict[str, str]:
        """Return the keys of ``.env``."""
        found: dict[str, str] = await self.ask(p.Env(ask="env"), dict[str, str])
        return found

    async def template(self) -> dict[str, str]:
        """Return the keys of ``.env.template``."""
        found: dict[str, str] = await self.ask(p.Env(ask="env_template"), dict[str, str])
        return found


class RemoteControllers(RemoteDeskAccess):
    """Implements ``triage.ports.actions.Controllers``."""

    async def read(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return the bot's controller files."""
        request = _built(p.ReadControllers, bot=bot)
        found: tuple[ControllerFile, ...] = await self.ask(request, tuple[ControllerFile, ...])
        return found


class RemoteImages:
    """Implements ``triage.ports.actions.Images``: those of the repositories that the desk uses."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, repository: str) -> tuple[Image, ...]:
        """Return the tagged images of a repository, the newest first."""
        try:
            found: tuple[Image, ...] = await self._wire.ask(p.ListImages(), tuple[Image, ...])
        except AgentUnreachable as error:
            raise SourceUnreachable(NAME, str(error)) from error
        except (DeskFailure, Refused) as error:
            raise SourceRejected(NAME, str(error)) from error
        return tuple(image for image in found if image.tag.rpartition(":")[0] == repository)


class RemoteProject(RemoteDeskAccess):
    """Implements ``triage.ports.actions.Project``."""

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Return each service's configuration hash, as compose writes it on what it makes."""
        found: dict[str, str] = await self.ask(p.OfProject(ask="hashes", external=external), dict[str, str])
        return found

    async def rehearsed(self, *, external: bool) -> tuple[str, ...] | None:
        """Return the containers that ``up -d`` would make anew, as a rehearsal says; None where there is none."""
        request = p.OfProject(ask="rehearsed", external=external)
        found: tuple[str, ...] | None = await self.ask(request, tuple[str, ...] | None)
        return found

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Return the image of each service that is on, and whether the engine has it."""
        request = p.OfProject(ask="service_images", external=external)
        found: dict[str, ServiceImage] = await self.ask(request, dict[str, ServiceImage])
        return found


class RemoteAgent(RemoteDeskAccess):
    """Implements ``triage.ports.actions.Agent``."""

    async def confirm(self, shown: ShownPlan) -> None:
        """Show a plan that somebody confirms now. Raises Refused where the agent would not carry it out."""
        signed = shown.signed
        form = (
            p.SignedForm(body=signed.body, timestamp=signed.timestamp, signature=signed.signature)
            if signed
            else None
        )
        request = _built(
            p.Confirm,
            action=shown.token,
            kind=shown.kind,
            target=shown.target,
            orders=shown.orders,
            rest=shown.rest,
            actor=shown.actor,
            reason=shown.reason[:500],
            signed=form,
        )
        await self.ask(request, None)

    async def perform(self, token: str, number: int, hear: Hear) -> Performed:
        """Carry out a step. An agent that is lost meanwhile leaves it unknown how far the step came."""
        answer: Any = None
        try:
            async for what, data in self._wire.frames(
                _built(p.Perform, action=token, step=number), seconds=STEP_SECONDS
            ):
                if what == "piece":
                    hear(str(data))
                else:
                    answer = data
            performed: Performed = _adapter(Performed).validate_python(answer)
        except AgentUnreachable as error:
            return Performed(ok=False, note=str(error), known=not error.asked)
        except ValidationError:
            return Performed(ok=False, note="the agent answered something else than was asked", known=False)
        return performed

    async def end(self, token: str) -> None:
        """Say that an action is over."""
        await self.ask(_built(p.End, ask="end", action=token), None)

    async def tidy(self, token: str) -> None:
        """Remove what an action that is over left beside the bots' folders."""
        await self.ask(_built(p.End, ask="tidy", action=token), None, seconds=ARCHIVE_SECONDS)

    async def keep_snapshot(self, bot: str) -> NightlySnapshot:
        """Take the nightly snapshot of a bot."""
        found: NightlySnapshot = await self.ask(
            _built(p.KeepSnapshot, bot=bot), NightlySnapshot, seconds=STEP_SECONDS
        )
        return found

    async def anchor(self, sequence: int, digest: str) -> None:
        """Write the head of the audit trail into the agent's own record."""
        await self.ask(_built(p.Anchor, sequence=sequence, digest=digest), None)


def remote_access(address: str) -> DeskAccess:
    """Return access that asks the agent at ``unix:///…`` for everything."""
    wire = Wire(address)
    return DeskAccess(
        snapshots=RemoteSnapshots(wire),
        env=RemoteEnv(wire),
        controllers=RemoteControllers(wire),
        images=RemoteImages(wire),
        project=RemoteProject(wire),
        agent=RemoteAgent(wire),
    )


async def hello(address: str) -> dict[str, Any]:
    """Ask the agent who it is. Raises DeskFailure, SourceError."""
    try:
        found: dict[str, Any] = await Wire(address).ask(p.Hello(), dict[str, Any])
    except AgentUnreachable as error:
        raise DeskFailure(str(error)) from error
    return found
