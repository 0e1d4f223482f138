"""The demo as a process, started as a user starts it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx
import psutil

from tests.servers.http import plain_client
from tests.servers.process import folder_for_servers

ROOT = Path(__file__).parents[2]


@dataclass
class Demo:
    """A running demo: its address, and what it has said."""

    process: asyncio.subprocess.Process
    url: str
    began: float

    async def ready(self, seconds: float = 120) -> float:
        """Wait until the panel has a desk; return the seconds since the start.

        A demo that ended instead is an AssertionError with what it wrote last: a refused connection says nothing.
        """
        async with plain_client(self.url) as http:
            while perf_counter() - self.began < seconds:
                try:
                    if (await http.get("/panel/state")).json()["ready"]:
                        return perf_counter() - self.began
                except httpx.TransportError as error:
                    raise AssertionError(await self._last_output()) from error
                await asyncio.sleep(0.05)
        raise TimeoutError(f"no desk within {seconds:g} s")

    async def _last_output(self) -> str:
        try:
            out, _ = await asyncio.wait_for(self.process.communicate(), 20)
        except TimeoutError:
            return "the demo lives and its page does not answer"
        return f"the demo ended by itself, exit {self.process.returncode}: {out.decode().strip()}"

    def family(self) -> list[psutil.Process]:
        """Return the process and all it has started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    async def end(self, *signals: signal.Signals) -> tuple[int, str]:
        """Send the signals, one right after the other; return the exit code and what it said."""
        for one in signals or (signal.SIGINT,):
            self.process.send_signal(one)
            await asyncio.sleep(0.1)
        out, _ = await asyncio.wait_for(self.process.communicate(), 30)
        return self.process.returncode or 0, out.decode()


async def launch(*arguments: str, env: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    """Start ``hbot-triage demo`` with these arguments."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "demo", *arguments),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder_for_servers()), **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@asynccontextmanager
async def running_demo(*arguments: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Demo]:
    """Run a demo on a free port; it is ended with the block."""
    began = perf_counter()
    process = await launch("--port", "0", *arguments, env=env)
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        found = re.search(r"http://\S+", line)
        assert found is not None, line + (await process.stdout.read()).decode()
        yield Demo(process, found[0].rstrip("/"), began)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()
