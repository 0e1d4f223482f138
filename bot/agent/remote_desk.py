"""The ports of the actions, asked over the agent's socket."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from bot.agent import protocol as p
from bot.agent.client import (
    ANSWER_SECONDS,
    ARCHIVE_SECONDS,
    NAME,
    STEP_SECONDS,
    AgentUnreachable,
    Wire,
    adapter,
)
from triage.errors import (
    DeskFailure,
    Refused,
    SourceRejected,
    SourceUnreachable,
)
from triage.plans.agent_orders import archive_parts
from triage.ports.actions import (
    ControllerFile,
    DeskAccess,
    Differences,
    DiskRoom,
    Image,
    NightlySnapshot,
    OnOutput,
    Performed,
    ServiceImage,
    ShownPlan,
    Snapshot,
    TakenDown,
)

T = TypeVar("T")


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
    """Build a request; what cannot be sent is a DeskFailure, as it would be on the other side."""
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

    async def taken_down(self) -> TakenDown:
        """Return what ``down`` would end, with every profile of the desk."""
        found: TakenDown = await self.ask(p.OfProject(ask="taken_down", external=True), TakenDown)
        return found

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Return the image of each service that is on, and whether the engine has it."""
        request = p.OfProject(ask="service_images", external=external)
        found: dict[str, ServiceImage] = await self.ask(request, dict[str, ServiceImage])
        return found

    async def name(self) -> str:
        """Return the name that ``.env`` or the files give the project; empty where they give none."""
        found: str = await self.ask(p.OfProject(ask="project_name", external=True), str)
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

    async def perform(self, token: str, number: int, on_output: OnOutput) -> Performed:
        """Carry out a step. An agent that is lost meanwhile leaves it unknown how far the step came."""
        answer: Any = None
        try:
            async for what, data in self._wire.frames(
                _built(p.Perform, action=token, step=number), seconds=STEP_SECONDS
            ):
                if what == "piece":
                    on_output(str(data))
                else:
                    answer = data
            performed: Performed = adapter(Performed).validate_python(answer)
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
        await self.ask(_built(p.End, ask="tidy", action=token), None, seconds=STEP_SECONDS)

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
