"""The agent inside the bot's own process: for one user's install, the demo and tests. The bot then holds the host."""

from __future__ import annotations

from pathlib import Path

from bot.agent.core import LocalAgent
from bot.agent.engine import Engine, EngineImageList
from bot.agent.order_executor import OrderExecutor
from bot.agent.record import AgentRecord
from bot.desk.commands import HostCommands
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.project import DeskProject
from bot.desk.snapshots import DeskSnapshots
from triage.desk import Desk
from triage.ports.actions import DeskAccess
from triage.ports.clock import Clock, SystemClock


def embedded_access(
    desk: Desk,
    *,
    docker_host: str = "",
    record: Path | None = None,
    clock: Clock | None = None,
) -> DeskAccess:
    """Return access whose agent works in this process. ``record`` None: it remembers in memory alone.

    Raises SettingError where the record cannot be kept.
    """
    env, controllers = DeskEnvFile(desk.paths.env), DeskControllers(desk.paths.data)
    engine = Engine(docker_host)
    snapshots, images = DeskSnapshots(desk.paths.data, desk.paths.backups), EngineImageList(engine)
    commands = HostCommands({"DOCKER_HOST": docker_host} if docker_host else {})
    executor = OrderExecutor(
        desk=desk,
        commands=commands,
        snapshots=snapshots,
        env=env,
        controllers=controllers,
        images=images,
        containers=engine,
    )
    kept = AgentRecord.opened(record) if record is not None else AgentRecord()
    agent = LocalAgent(desk, executor, kept, clock or SystemClock())
    return DeskAccess(
        snapshots=snapshots,
        env=env,
        controllers=controllers,
        images=images,
        project=DeskProject(desk, commands, engine.has_image, env),
        agent=agent,
    )
