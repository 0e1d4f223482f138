"""What the agent lets be seen: of the desk's containers a few fields, of its files names, times and known values."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.agent.engine import Engine
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.snapshots import DeskSnapshots
from triage.actions.compose import services
from triage.actions.loaded_controllers import LOADS, MARKETS, SCRIPT
from triage.desk import Desk
from triage.desk_sections.bots import CONFIGURATION
from triage.env_text import FILES_KEY, PROJECT_KEY, SEPARATOR_KEY
from triage.errors import DeskFailure
from triage.plans.agent_orders import IMAGE_KEYS, archive_name
from triage.ports.actions import ControllerFile, Image, Project
from triage.ports.sources import (
    COMPOSE_LABELS,
    PROJECT_LABEL,
    UNREADABLE,
    ContainerEvent,
    ContainerState,
    FileStat,
    LogLines,
    every_container,
)

SHOWN_KEYS = IMAGE_KEYS | {
    *("EXT_SIGNAL_RISK_ENABLED", "BUS_SOFT_PAUSE_ON_OUTAGE"),
    *(PROJECT_KEY, FILES_KEY, SEPARATOR_KEY),
}
"""Keys of ``.env`` whose values checks and plans need."""
CONTROLLER_KEYS = frozenset(
    {"id", "controller_name", "connector_name", "internal_paper_enabled", LOADS, MARKETS, SCRIPT}
)
_ATTRIBUTES = frozenset({"name", "image", "exitCode", "signal", "oldName", "execDuration"})


@dataclass(slots=True)
class DeskReader:
    """Answers questions about the desk. Raises SourceError and DeskFailure."""

    desk: Desk
    engine: Engine
    snapshots: DeskSnapshots
    env: DeskEnvFile
    controllers: DeskControllers
    project: Project
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    """Makes the stand-ins of values: kept by who wants the same ones after a start."""

    def ours(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a container is the desk's: of its compose project, or named as desk.yaml names one."""
        return labels.get(PROJECT_LABEL) == self.desk.compose.project or name in self._names()

    def _names(self) -> frozenset[str]:
        return frozenset(self.desk.container_of(service) for service in services(self.desk)) | frozenset(
            self.desk.container_of(bot.name) for bot in self.desk.bots
        )

    async def inspect(self, container: str) -> ContainerState | None:
        """Return a container of the desk, by its name or id."""
        state = await self.engine.inspect(container)
        return _few(state) if state is not None and self.ours(state.name, state.labels) else None

    async def containers(self) -> tuple[ContainerState, ...]:
        """Return the desk's containers."""
        return tuple(
            _few(each)
            for each in await self.engine.list()
            if self.ours(each.name, each.labels) or (each.unread and not each.name)
        )

    async def code_times(
        self, container: str, *, configuration: bool = False
    ) -> dict[str, tuple[FileStat, ...]]:
        """Return the files of a bot's folders of code, or of its configuration, by folder: names, times and sizes."""
        from triage.diagnosis.checks.bytecode import folders_of  # noqa: PLC0415 - checks are loaded when needed

        if self.desk.bot_of_container(container) is None:
            raise DeskFailure(f"{container!r} is no bot's container in the agent's desk.yaml")
        folders = (CONFIGURATION,) if configuration else folders_of(self.desk.paths.caches)
        return {folder: await self.engine.files(container, folder) for folder in folders}

    async def last_lines(self, container: str, since: datetime) -> LogLines:
        """Return the last lines that a bot's container wrote, masked."""
        if self.desk.bot_of_container(container) is None:
            raise DeskFailure(f"{container!r} is no bot's container in the agent's desk.yaml")
        return await self.engine.last_lines(container, since=since)

    async def history(self, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past events of the desk's containers."""
        found = await self.engine.history(since=since, until=until)
        return tuple(_short(each) for each in found if self._may_be_seen(each))

    async def events(self, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield events of the desk's containers as they come."""
        async for event in self.engine.events(since=since):
            if self._may_be_seen(event):
                yield _short(event)

    def _may_be_seen(self, event: ContainerEvent) -> bool:
        return event.action == UNREADABLE or self.ours(event.container, event.attributes)

    async def images(self) -> tuple[Image, ...]:
        """Return the images of the repositories of the desk's containers, and of the one that ``.env`` pins."""
        listed = every_container(await self.engine.list())
        used = [each.image for each in listed if self.ours(each.name, each.labels)]
        with contextlib.suppress(DeskFailure):  # a file that is not clear is told where it is asked for
            used.append((await self.env.read()).get("HUMMINGBOT_IMAGE", ""))
        found = {repository for image in used for repository in repositories_of(image)}
        return await self.engine.images(*found) if found else ()

    def archive(self, bot: str, stamp: str, *, before_rollback: bool) -> str:
        """Return a snapshot's name, of a bot of this desk."""
        return archive_name(self.bot(bot), stamp, before_rollback=before_rollback)

    def bot(self, name: str) -> str:
        """Return a bot's name. Raises DeskFailure where this desk has none of that name."""
        if self.desk.bot(name) is None:
            raise DeskFailure(f"{name!r} is no bot of the agent's desk.yaml")
        return name

    async def read_env(self, *, template: bool) -> dict[str, str]:
        """Return the keys of ``.env`` or its template: known values, and for any other a stand-in that changes with it."""
        found = await (self.env.template() if template else self.env.read())
        return {
            key: value if key in SHOWN_KEYS or not value else self._hidden(value)
            for key, value in found.items()
        }

    def _hidden(self, value: str) -> str:
        return f"hidden-{hmac.new(self.salt, value.encode(), hashlib.sha256).hexdigest()[:16]}"

    async def read_controllers(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return what plans and checks read of a bot's controllers."""
        return tuple(
            replace(file, values={key: value for key, value in file.values.items() if key in CONTROLLER_KEYS})
            for file in await self.controllers.read(self.bot(bot))
        )


def repositories_of(image: str) -> tuple[str, ...]:
    """Return the names under which the engine may list an image's repository: Docker Hub's own are shortened there."""
    if not image or image.startswith("sha256:"):
        return ()
    name = image.partition("@")[0]
    repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    short = repository.removeprefix("docker.io/").removeprefix("library/")
    return tuple(dict.fromkeys((repository, short)))


def _compose_only(labels: Mapping[str, str]) -> dict[str, str]:
    """Of labels only Compose's own are told: others are written by whoever made the image."""
    return {name: value for name, value in labels.items() if name.startswith(COMPOSE_LABELS)}


def _few(state: ContainerState) -> ContainerState:
    return replace(state, labels=_compose_only(state.labels))


def _short(event: ContainerEvent) -> ContainerEvent:
    kept = {
        name: value for name, value in event.attributes.items() if name in _ATTRIBUTES or name == "health"
    }
    return replace(event, attributes={**kept, **_compose_only(event.attributes)})
