"""What each order does: resolved from this process's desk.yaml and from listings, never from the order's text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.desk.commands import HostCommands
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.snapshots import DeskSnapshots
from triage.actions.compose import SECONDS, argv, caches_argv
from triage.desk import Desk
from triage.env_check import IMAGE_KEY
from triage.errors import DeskFailure
from triage.plans import agent_orders
from triage.plans.agent_orders import Order, archive_name, named
from triage.ports.actions import Images, NightlySnapshot, OnOutput, Performed
from triage.ports.sources import ExecResult
from triage.wording import duration

CACHES_SECONDS = 30.0
FILES_SECONDS = 600.0
"""What a nightly snapshot, or the removal of what an action left, may take."""
KEEP = 30
"""Nightly snapshots of a bot that stay; those of rollbacks stay all."""


class Execs(Protocol):
    """Runs a command in a container, without a shell."""

    async def exec(self, name: str, command: Sequence[str], *, timeout_seconds: float = 30) -> ExecResult:
        """Run it and return how it ended. Raises SourceError."""
        ...


@dataclass(slots=True)
class OrderExecutor:
    """Carries out orders on the desk. Raises DeskFailure and SourceError, with what was met."""

    desk: Desk
    commands: HostCommands
    snapshots: DeskSnapshots
    env: DeskEnvFile
    controllers: DeskControllers
    images: Images
    containers: Execs

    async def do(self, order: Order, token: str, on_output: OnOutput) -> Performed:
        """Carry out one order. Work on files that does not end in its time is given up: how far it came is not known."""
        seconds = agent_orders.SECONDS.get(type(order))
        try:
            async with asyncio.timeout(seconds) as limit:
                return await self._do(order, token, on_output)
        except TimeoutError as error:
            # A network disk that gives up by itself raises one too.
            why = f"no end within {duration(seconds or 0.0)}" if limit.expired() else f"given up: {error}"
            return Performed(ok=False, note=why, known=False)

    async def _do(self, order: Order, token: str, on_output: OnOutput) -> Performed:  # noqa: PLR0911 - one row an order
        match order:
            case agent_orders.ComposeOrder():
                return await self._compose(order, on_output)
            case agent_orders.RemoveCachesOrder(bot=bot):
                return await self._remove_caches(bot)
            case agent_orders.TakeSnapshotOrder(bot=bot, stamp=stamp):
                taken = await self.snapshots.take(bot, archive_name(bot, stamp, before_rollback=True))
                return Performed(ok=True, note=f"{taken.size} bytes, read back")
            case agent_orders.ExtractOrder(bot=bot, stamp=stamp, before_rollback=before, sha256=sha256):
                name = archive_name(bot, stamp, before_rollback=before)
                return Performed(
                    ok=True, note=await self.snapshots.extract(bot, name, sha256=sha256, token=token)
                )
            case agent_orders.SwapOrder(bot=bot):
                await self.snapshots.swap(bot, token)
                return Performed(ok=True, note="in place")
            case agent_orders.DiscardOrder(bot=bot):
                await self.snapshots.discard(bot, token)
                return Performed(ok=True, note="removed")
            case agent_orders.SetImageOrder():
                return await self._set_image(order)
            case agent_orders.SetControllerOrder():
                return await self._set_controller(order)

    async def _compose(self, order: agent_orders.ComposeOrder, on_output: OnOutput) -> Performed:
        words = argv(self.desk, order.verb, order.service, external=order.external)
        seconds = SECONDS[order.verb]
        result = await self.commands.run(
            words, folder=str(self.desk.paths.compose), timeout_seconds=seconds, on_output=on_output
        )
        if result.exit_code is None:
            return Performed(
                ok=False, note=f"killed: no end within {duration(seconds)}", output=result.output
            )
        return Performed(result.exit_code == 0, f"exit {result.exit_code}", result.output)

    async def _remove_caches(self, bot: str) -> Performed:
        container = self.desk.container_of(bot)
        result = await self.containers.exec(container, caches_argv(self.desk), timeout_seconds=CACHES_SECONDS)
        return Performed(result.exit_code == 0, f"exit {result.exit_code}", result.output)

    async def _set_image(self, order: agent_orders.SetImageOrder) -> Performed:
        was = (await self.env.read()).get(IMAGE_KEY, "")
        if named(was) != order.was:
            raise DeskFailure(f".env: {IMAGE_KEY} is no longer what the plan was made for; plan it anew")
        known = await self.images.list(was.rpartition(":")[0])
        image = next((each.tag for each in known if named(each.tag) == order.image), "")
        if not image or image.endswith(":latest"):
            raise DeskFailure(
                f"the image of this plan is no pinned image of {was.rpartition(':')[0]} on this host"
            )
        await self.env.set(IMAGE_KEY, image, was=was)
        return Performed(ok=True, note=f"{IMAGE_KEY}={image}")

    async def _set_controller(self, order: agent_orders.SetControllerOrder) -> Performed:
        files = await self.controllers.read(order.bot)
        file = next((each.file for each in files if named(each.file) == order.file), "")
        if not file:
            raise DeskFailure(f"{order.bot} has no controller file as the plan names it; plan it anew")
        await self.controllers.set(order.bot, file, order.key, value=order.value, was=not order.value)
        return Performed(ok=True, note=f"{file}: {order.key} is {str(order.value).lower()}")

    async def tidy(self, bot: str, token: str) -> None:
        """Remove what lies beside a bot's folder under an action's name; nothing there is fine."""
        async with _in_time("what an action left beside a bot's folder was not removed"):
            await self.snapshots.discard(bot, token)

    async def keep_snapshot(self, bot: str, stamp: str) -> NightlySnapshot:
        """Take a bot's nightly snapshot, then remove the oldest ones."""
        async with _in_time(f"the nightly snapshot of {bot} did not end"):
            return await self._keep_snapshot(bot, stamp)

    async def _keep_snapshot(self, bot: str, stamp: str) -> NightlySnapshot:
        room = await self.snapshots.room_to_take(bot)
        if room.free < room.needed:
            raise DeskFailure("not enough free disk")
        name = archive_name(bot, stamp, before_rollback=False)
        await self.snapshots.take(bot, name)
        sha256 = await self.snapshots.checksum(name)
        return NightlySnapshot(name, sha256, await self.snapshots.prune(bot, keep=KEEP))


@asynccontextmanager
async def _in_time(what: str) -> AsyncIterator[None]:
    """Give work on files up after ``FILES_SECONDS``. Raises DeskFailure, which says what did not end."""
    try:
        async with asyncio.timeout(FILES_SECONDS) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise DeskFailure(f"{what}: {error}") from error
        raise DeskFailure(f"{what} within {duration(FILES_SECONDS)}: does the disk answer?") from error
