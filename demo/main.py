"""``hbot-triage demo``: a trading desk and a Slack workspace on this machine, until Ctrl-C.

Binds to loopback only. Everything it makes lies in one temporary folder that goes with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from loguru import logger

from demo.clock import SimClock
from demo.desk.past import desk_with_past_apart
from demo.desk.scenarios import SCENARIOS
from demo.panel.routes import Panel, page_with
from demo.slack import SlackServer
from triage.errors import TriageError
from triage.wording import nearest

if TYPE_CHECKING:
    from demo.scenario_runner import ScenarioRunner

GOOD, BAD, WRONG_USAGE = 0, 1, 2
LOG = "hbot-triage.log"


WHO_IS_WHO = """\
  who   You are Ana, an operator. The menu at the top right makes you Ben, who approves what needs two people,
        or Vik, who only reads.
  try   Press Start at redis-dies in the panel, wait for the card in #desk-alerts, and press its first button.
        Press it as Vik, too. Type /triage help, /triage status, /triage kpi bot1."""
"""What to do on the page, for the terminal of who started it."""


def run(*, port: int = 8080, scenario: str = "") -> int:
    """Run until Ctrl-C; ``port`` 0 takes a free one. Returns the exit code: 0 good, 1 it failed, 2 wrong usage."""
    if scenario == "list":
        _say("\n".join(f"{one.name:<16} {one.story}" for one in SCENARIOS.values()))
        return GOOD
    if scenario and scenario not in SCENARIOS:
        like = nearest(scenario, SCENARIOS, 0.4)
        meant = f"did you mean {like}? " if like else ""
        _complain(f"--scenario: there is no {scenario!r}; {meant}--scenario list names them all")
        return WRONG_USAGE
    try:
        folder = Path(tempfile.mkdtemp(prefix="hbot-demo-"))
    except OSError as error:
        _complain(f"no folder can be made for the demo ({error}): set TMPDIR to one that you may write to")
        return BAD
    code = _guarded(folder, port, scenario)
    if code == GOOD:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _guarded(folder: Path, port: int, scenario: str) -> int:
    """Run the demo; what goes wrong is one line with its mend, the rest is in the log."""
    _log_to(folder / LOG)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(folder, port, scenario))
    except KeyboardInterrupt:
        return GOOD
    except OSError as error:
        _complain(_os_trouble(error, port))
        return BAD
    except Exception as error:  # noqa: BLE001 - the last line of defence of a command line
        first = _innermost(error)
        logger.opt(exception=error).error("the demo ended")
        said = str(first) if isinstance(first, TriageError) else f"{type(first).__name__}: {first}"
        _complain(f"the demo ended: {said} (details: {folder / LOG})")
        return BAD
    return GOOD


def _os_trouble(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is in use: choose another one (make demo PORT={port + 1}), or PORT=0 for a free one"
        )
    if error.errno == errno.EACCES and port < 1024:  # noqa: PLR2004 - the ports that belong to root
        return f"port {port} needs root: choose one from 1024 on (make demo PORT=8080)"
    if error.errno == errno.ENOSPC:
        return "the disk is full: free some space, or set TMPDIR to a folder that has some"
    return f"{error}: look at the permissions of that file, or set TMPDIR to a folder of your own"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(folder: Path, port: int, scenario: str) -> None:
    """Serve the page first, so that it can be opened, then open one desk after the other."""
    stop = _stop_at_signals()
    clock, panel = SimClock(), Panel()
    async with SlackServer(port=port, extend=page_with(panel), clock=clock.now) as slack:
        _say(f"The demo is at {slack.base_url}/  (Ctrl-C ends it)")
        _say(WHO_IS_WHO)
        session = DemoSession(slack, clock, panel, stop, real=os.environ.get("REAL", "") not in {"", "0"})
        while not stop.is_set():
            panel.rounds += 1
            await session.run(folder / f"desk{panel.rounds}", scenario)
            scenario = ""
        _say("Stopped.")


@dataclass(frozen=True, slots=True)
class DemoSession:
    """What stays while one desk follows the other: the workspace, its clock, the panel."""

    slack: SlackServer
    clock: SimClock
    panel: Panel
    stop: asyncio.Event
    real: bool

    async def run(self, folder: Path, scenario: str) -> None:
        """Set up a desk below ``folder`` and run it until it is reset, or the demo ends."""
        self.panel.reset.clear()
        self.clock.speed = 1.0
        # The page is served already. A child process makes the desk's past while a thread imports the bot.
        async with asyncio.TaskGroup() as group:
            making = group.create_task(desk_with_past_apart(folder / "desk", self.clock.now()))
            running = await asyncio.to_thread(importlib.import_module, "demo.running")
            scenario_runner = await asyncio.to_thread(importlib.import_module, "demo.scenario_runner")
        made = making.result()
        async with running.open_demo(folder, self.slack, self.clock, real=self.real, made=made) as demo:
            await self._run_scenarios(scenario_runner.ScenarioRunner(demo, fixed=self.real), scenario)
        self.slack.workspace.clear()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _run_scenarios(self, runner: ScenarioRunner, scenario: str) -> None:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(runner.run(), name="scenario runner")
            self.panel.runner, self.panel.note = runner, ""
            if scenario:
                runner.start(scenario)
            await _first(self.stop, self.panel.reset)
            self.panel.runner = None
            self.panel.note = "Stopping…" if self.stop.is_set() else "Setting up a new desk…"
            watching.cancel()
            self.clock.speed = 1.0


async def _first(*events: asyncio.Event) -> None:
    """Wait for the first of the events."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()


def _stop_at_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set; a second one changes nothing: the end is on its way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(
            NotImplementedError
        ):  # a platform without signals for loops still has Ctrl-C
            loop.add_signal_handler(number, stop.set)
    return stop


def _log_to(path: Path) -> None:
    from bot.logs import set_up_logs  # noqa: PLC0415 - beside the constants of this module

    set_up_logs(stream=path.open("a", buffering=1, encoding="utf-8"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"hbot-triage: {text}\n")
