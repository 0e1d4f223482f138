"""The parts with which an agent touches its host, made once and shared by what only reads and what carries out orders."""

from __future__ import annotations

from dataclasses import dataclass

from bot.agent.desk_reader import DeskReader
from bot.agent.engine import Engine, EngineImageList
from bot.agent.order_executor import OrderExecutor
from bot.desk.commands import HostCommands
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.project import DeskProject
from bot.desk.snapshots import DeskSnapshots
from triage.desk import Desk


@dataclass(frozen=True, slots=True)
class HostAccess:
    """The Docker Engine, the executor with the desk's files and commands, and the compose project."""

    engine: Engine
    executor: OrderExecutor
    project: DeskProject

    def reader(self, salt: bytes) -> DeskReader:
        """Return what answers questions about the desk. ``salt`` makes the stand-ins of values in ``.env``."""
        return DeskReader(
            desk=self.executor.desk,
            engine=self.engine,
            snapshots=self.executor.snapshots,
            env=self.executor.env,
            controllers=self.executor.controllers,
            project=self.project,
            salt=salt,
        )


def host_access(desk: Desk, docker_host: str) -> HostAccess:
    """Return access to this host's engine (``DOCKER_HOST``; empty: none) and to the desk's folders."""
    engine, env = Engine(docker_host), DeskEnvFile(desk.paths.env)
    commands = HostCommands({"DOCKER_HOST": docker_host} if docker_host else {})
    executor = OrderExecutor(
        desk=desk,
        commands=commands,
        snapshots=DeskSnapshots(desk.paths.data, desk.paths.backups),
        env=env,
        controllers=DeskControllers(desk.paths.data),
        images=EngineImageList(engine),
        containers=engine,
    )
    return HostAccess(engine, executor, DeskProject(desk, commands, engine.has_image, env))
