"""An agent behind its socket in the test's own process, on a desk below a folder."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.agent.core import LocalAgent
from bot.agent.host_access import host_access
from bot.agent.record import AgentRecord
from bot.agent.server import Server
from bot.agent.slack_proof import SlackProof
from triage.desk import Desk
from triage.ports.clock import Clock, SystemClock


@dataclass(frozen=True)
class Apart:
    """The agent, its record's path, and the address of its socket."""

    agent: LocalAgent
    address: str
    record: Path


@asynccontextmanager
async def agent_apart(
    desk: Desk,
    folder: Path,
    *,
    docker_host: str = "",
    clock: Clock | None = None,
    signing_secret: str = "",
    uid: int | None = None,
    salt: bytes = b"salt",
    place: Path | None = None,
) -> AsyncIterator[Apart]:
    """Run an agent that answers this process's user (or `uid`), its record in `folder`, at `place` if given."""
    clock = clock or SystemClock()
    host = host_access(desk, docker_host)
    looks = host.reader(salt)
    path = folder / "agent.jsonl"
    record = AgentRecord.opened(path)
    proof = SlackProof(signing_secret) if signing_secret else None
    agent = LocalAgent(desk, host.executor, record, clock, proof, apart=True)
    server = Server(looks, agent, clock, uid=os.geteuid() if uid is None else uid)
    with tempfile.TemporaryDirectory(prefix="hbt-") as short:  # a socket's path may have 107 characters
        place = place or Path(short) / "agent.sock"
        try:
            async with server.listening(place):
                yield Apart(agent, f"unix://{place}", path)
        finally:
            record.close()
