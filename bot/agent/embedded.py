"""The agent inside the bot's own process: for one user's install, the demo and tests. The bot then holds the host."""

from __future__ import annotations

from pathlib import Path

from bot.agent.core import LocalAgent
from bot.agent.host_access import host_access
from bot.agent.record import AgentRecord
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
    host = host_access(desk, docker_host)
    executor = host.executor
    kept = AgentRecord.opened(record) if record is not None else AgentRecord()
    agent = LocalAgent(desk, executor, kept, clock or SystemClock())
    return DeskAccess(
        snapshots=executor.snapshots,
        env=executor.env,
        controllers=executor.controllers,
        images=executor.images,
        project=host.project,
        agent=agent,
    )
