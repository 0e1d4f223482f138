"""Runs the service as a process: one event loop, signals, an exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

import uvloop
from loguru import logger

from bot.logs import set_up_logs
from bot.settings import Settings, load_settings
from bot.tuning import startup_imports, switch_often
from triage.errors import TriageError, exit_code


def main() -> int:
    """Run with the settings of the environment until told to stop; what is wrong is one line, and an exit code."""
    try:
        run_until_stopped(load_settings().ready_to_run())
    except TriageError as error:
        sys.stderr.write(f"hbot-triage: {error}\n")
        return exit_code(error)
    return 0


def run_until_stopped(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then shut down in order. Raises TriageError where it cannot start."""
    switch_often()
    set_up_logs(level=settings.triage_log_level, style=settings.triage_log_format, secrets=settings.secrets)
    with startup_imports():
        from bot.app import serve  # noqa: PLC0415 - everything that is heavy

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # a platform without signals for loops still has Ctrl-C
                loop.add_signal_handler(number, stop.set)
        await serve(settings, stop=stop)
        logger.info("stopped")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
