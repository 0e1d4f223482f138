"""The agent as a process: how soon it listens, its memory when idle, the time of a question beyond the engine's own.

A unix socket that answers at once stands in for the engine: what is measured is the agent's part alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import psutil
from ruamel.yaml import YAML

from bench.figures import Figure, best_p99, tell
from bot.agent.client import Wire
from bot.agent.remote_containers import RemoteContainers

READY_SECONDS, IDLE_MB, LOOK_MS = 1.0, 40.0, 5.0
LOOKS, ROUNDS = 400, 4
CONTAINER = {
    "Id": "a" * 64,
    "Name": "/hbot-bot1",
    "Created": "2026-02-20T12:00:00Z",
    "Image": "sha256:" + "b" * 64,
    "RestartCount": 0,
    "State": {
        "Status": "running",
        "StartedAt": "2026-02-20T12:00:00Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "ExitCode": 0,
        "OOMKilled": False,
    },
    "Config": {
        "Image": "hbot/hummingbot:v1",
        "Labels": {"com.docker.compose.project": "hbot"},
        "Env": ["A=1"] * 40,
    },
}


async def _engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = json.dumps(CONTAINER).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


def _environment(folder: Path) -> dict[str, str]:
    folder.chmod(0o755)
    for name in ("compose", "env", "data", "backups"):
        (folder / name).mkdir()
    paths = {name: str(folder / name) for name in ("compose", "data", "backups")}
    with (folder / "desk.yaml").open("w") as file:
        YAML(typ="safe").dump({"paths": {**paths, "env": str(folder / "env/.env")}}, file)
    (folder / "desk.yaml").chmod(0o644)
    return {
        "PATH": os.environ["PATH"],
        "TRIAGE_AGENT": f"unix://{folder}/agent.sock",
        "TRIAGE_AGENT_UID": "65534",
        "TRIAGE_AGENT_STATE": str(folder / "state"),
        "TRIAGE_DESK": str(folder / "desk.yaml"),
        "DOCKER_HOST": f"unix://{folder}/engine.sock",
    }


def _started(environment: dict[str, str]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "bot.agent"]
    return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)


@asynccontextmanager
async def _running(environment: dict[str, str]) -> AsyncIterator[tuple[float, psutil.Process]]:
    began = perf_counter()
    process = _started(environment)
    try:
        assert process.stderr is not None
        line = await asyncio.to_thread(process.stderr.readline)
        assert "listens at" in line, line
        yield perf_counter() - began, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def _look_ms(address: str) -> list[float]:
    """Ask as the bot's user does, one after the other."""
    containers, found = RemoteContainers(Wire(address)), []
    os.seteuid(65534)
    try:
        for _ in range(LOOKS):
            began = perf_counter()
            assert await containers.inspect("hbot-bot1") is not None
            found.append((perf_counter() - began) * 1000)
    finally:
        os.seteuid(0)
    return found


async def _all() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="hbt-") as name:
        folder = Path(name)
        environment = _environment(folder)
        async with await asyncio.start_unix_server(_engine, f"{folder}/engine.sock"):
            ready = []
            for _ in range(3):
                async with _running(environment) as (seconds, process):
                    ready.append(seconds)
                    busy = process.cpu_times()
                    memory = process.memory_full_info()
            async with _running(environment) as (_, process):
                looks = await _look_ms(environment["TRIAGE_AGENT"])
                after = process.memory_full_info()
    return [
        Figure("agent.ready", min(ready), "s", READY_SECONDS),
        Figure("agent.ready_cpu", busy.user + busy.system, "s"),
        Figure("agent.idle_pss", memory.pss / 1e6, "MB", IDLE_MB),
        Figure("agent.idle_rss", memory.rss / 1e6, "MB"),
        Figure("agent.idle_own", memory.uss / 1e6, "MB"),
        Figure("agent.after_looks_pss", after.pss / 1e6, "MB"),
        Figure("agent.look_median", statistics.median(looks), "ms", LOOK_MS),
        Figure("agent.look_p99", best_p99(looks, ROUNDS), "ms"),
    ]


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("the bench of the agent needs root: it is two users")
    sys.exit(tell(asyncio.run(_all())))
