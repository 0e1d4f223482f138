"""An operator with the desk's own tools: compose, docker, files and intents."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tarfile
import uuid
from collections.abc import Mapping

import pytest
from redis.asyncio import Redis

from demo.desk.desk import SimulatedDesk
from demo.desk.scenarios import steps

START = 1_771_600_000.0  # 2026-02-20T15:06:40Z
CACHES = (
    "/home/hummingbot/controllers/__pycache__",
    "/home/hummingbot/controllers/market_making/__pycache__",
)


class Operator:
    """Does to a desk what people and the bot do: compose, docker, files, intents. Keeps what was logged."""

    def __init__(self, desk: SimulatedDesk, lines: list[tuple[Mapping[str, str], str]]) -> None:
        self.desk, self.world, self.lines = desk, desk.world, lines

    async def run(self, *command: str) -> tuple[int, str, str]:
        """Run a program in the compose folder: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.world.layout.compose,
            env={**os.environ, **self.desk.compose_environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode or 0, out.decode(), err.decode()

    async def compose(self, *arguments: str) -> tuple[int, str, str]:
        """Run the compose command with the desk's env file."""
        return await self.run(*self.desk.compose_command, "--env-file", "../env/.env", *arguments)

    async def docker(self, *arguments: str) -> tuple[int, str, str]:
        """Run the real docker client against the simulated engine."""
        if shutil.which("docker") is None:
            pytest.skip("the docker client is not on PATH")
        return await self.run("docker", "-H", self.desk.docker_url, *arguments)

    async def intent(self, bot: str, action: str, **more: object) -> str:
        """Put an execution intent on the stream and return its id."""
        now = int(self.world.clock.now() * 1000)
        event: dict[str, object] = {
            "schema_version": "1.0",
            "event_type": "execution_intent",
            "event_id": str(uuid.uuid4()),
            "correlation_id": None,
            "producer": "test",
            "timestamp_ms": now,
            "instance_name": bot,
            "controller_id": "epp_v2_4",
            "action": action,
            "expires_at_ms": now + 60_000,
            "metadata": {},
        }
        await self.add("hb.execution_intent.v1", json.dumps({**event, **more}))
        return str({**event, **more}["event_id"])

    async def add(self, stream: str, payload: str) -> None:
        """Add an entry to a stream."""
        async with Redis.from_url(self.desk.redis_url) as redis:
            await redis.xadd(stream, {"payload": payload})

    async def newest(self, stream: str, count: int = 200) -> list[dict[str, object]]:
        """Return the newest payloads of a stream, newest first."""
        async with Redis.from_url(self.desk.redis_url, decode_responses=True) as redis:
            entries = await redis.xrevrange(stream, count=count) or []
            return [json.loads(str((fields or {})["payload"])) for _, fields in entries]

    async def restore_config(self, bot: str) -> None:
        """Roll a bot's folders back to its newest nightly archive, as the runbook has it."""
        await self.compose("stop", bot)
        archive = max(self.world.layout.backups.glob(f"{bot}_2*.tar.gz"))
        shutil.rmtree(self.world.layout.bot(bot) / "conf")
        with tarfile.open(archive) as opened:
            members = [one for one in opened.getmembers() if one.name.startswith(f"{bot}/conf")]
            opened.extractall(self.world.layout.data, members=members, filter="data")
        await self.compose("up", "-d", bot)

    def edit(self, bot: str, key: str, value: str) -> None:
        """Change a setting of a bot's controller YAML."""
        steps.set_setting(self.world, bot, key, value)

    def env(self, key: str, value: str) -> None:
        """Change a line of the desk's .env."""
        steps.set_env(self.world, key, value)

    def errors(self, bot: str) -> list[str]:
        """Return the ERROR lines a bot has logged."""
        return [line for labels, line in self.lines if labels.get("bot") == bot and " - ERROR - " in line]
