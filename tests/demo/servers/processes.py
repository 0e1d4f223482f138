"""Real servers for the contract tests: started on a free loopback port, ended by their process id."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import httpx

from tests.servers.http import plain_client

START_TIMEOUT = 20.0


def free_port() -> int:
    """Return a port nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_log(path: Path) -> BinaryIO:
    """Open a server's log for writing."""
    return path.open("wb")


@contextlib.asynccontextmanager
async def running(command: list[str], url: str, log: Path) -> AsyncIterator[str]:
    """Run a server until the block ends; yields its address once `/-/ready` answers."""
    with open_log(log) as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=subprocess.STDOUT)
        try:
            await _ready(process, url, log)
            yield url
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_TIMEOUT
    async with plain_client(url, timeout=2) as http:
        while loop.time() < deadline and process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await http.get("/-/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{url} did not become ready: see {log}")


def prometheus(folder: Path, config: str, port: int) -> list[str]:
    """Return the command of a real Prometheus whose data and configuration are in `folder`."""
    (folder / "prometheus.yml").write_text(config)
    return [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]


def alertmanager(folder: Path, config: str, port: int) -> list[str]:
    """Return the command of a real Alertmanager without peers."""
    (folder / "alertmanager.yml").write_text(config)
    return [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'am-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
