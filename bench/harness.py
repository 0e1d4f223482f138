"""The service as a process, with the Slack server it talks to: what the benches measure from outside."""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from bot.cli import WITHOUT_DOCSTRINGS
from demo.slack import SlackServer
from tests.flows.harness import DESK, ROOT, TOKEN, Bot

__all__ = ["CALM", "DESK", "TOKEN", "Harness", "compile_packages", "running_service"]

CALM: dict[str, Any] = {**DESK, "correlation": {"storm_incidents": 1_000_000, "wide_window_seconds": 0}}
"""A desk that never folds many alerts into one incident, so that each alert of a bench has a first post."""


@dataclass(frozen=True, slots=True)
class Harness:
    """The service, running, and the Slack it posts to."""

    bot: Bot
    slack: SlackServer
    folder: Path

    async def sorted(self) -> None:
        """Wait until the inbox is empty."""
        for _ in range(600):
            if "triage_inbox_pending 0.0" in (await self.bot.get("/metrics")).text:
                return
            await asyncio.sleep(0.2)
        raise AssertionError("the inbox did not become empty within 120 s")

    def rss_mb(self) -> float:
        """Return the service's resident memory in MB (10^6 bytes)."""
        return float(psutil.Process(self.bot.process.pid).memory_info().rss) / 1e6


def compile_packages() -> None:
    """Compile what the service imports, as pip does and as the image's build does: it then starts from bytecode."""
    for package in ("bot", "handlers", "schedules", "triage"):
        assert compileall.compile_dir(ROOT / package, quiet=1)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folders = [
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("purelib"),
        "bot",
        "handlers",
        "schedules",
        "triage",
    ]
    words = [sys.executable, *WITHOUT_DOCSTRINGS, "-m", "compileall", "-qq", "-x", "/tests?/", *folders]
    subprocess.run(
        words, cwd=ROOT, env=environment, check=False
    )  # what cannot be compiled is compiled at each start


@asynccontextmanager
async def running_service(
    *, desk: Mapping[str, Any] = DESK, sources: Mapping[str, str] | None = None, start: bool = True
) -> AsyncIterator[Harness]:
    """Run the service against our Slack server and the given sources (settings by name)."""
    compile_packages()
    with TemporaryDirectory(prefix="hbot-triage-bench-") as name:
        folder = Path(name)
        (folder / "desk.yaml").write_text(json.dumps(dict(desk)))
        async with SlackServer() as slack:
            environment = {
                "SLACK_BOT_TOKEN": slack.app.bot_token,
                "SLACK_APP_TOKEN": slack.app.app_token,
                "SLACK_API_URL": slack.api_url,
                "TRIAGE_CHANNEL": "C0TRIAGE01",
                "TRIAGE_DESK": str(folder / "desk.yaml"),
                "TRIAGE_LOG_LEVEL": "WARNING",
                **(sources or {}),
            }
            # As an operator starts it: a fork of a preloaded process has its imports and its memory from elsewhere.
            bot = Bot(folder, environment, before=("env",))
            try:
                if start:
                    await bot.start()
                yield Harness(bot, slack, folder)
            finally:
                await bot.stop()
