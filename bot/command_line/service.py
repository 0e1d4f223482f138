"""The commands that start something: the service, the demo, the agent."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bot.command_line.app import fail
from triage.errors import SettingError


def run() -> None:
    """Run the service: webhooks in, Slack threads out."""
    from bot.service import main  # noqa: PLC0415 - only this command pays for it

    raise typer.Exit(main())


def demo(
    port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.", min=0, max=65535)] = 8080,
    scenario: Annotated[str, typer.Option(help="Start with this going wrong; 'list' names them.")] = "",
) -> None:
    """Start a trading desk and a Slack workspace on this machine, to try it all."""
    import importlib  # noqa: PLC0415 - demo imports bot, so bot looks it up only when it is asked for

    try:
        module = importlib.import_module("demo.main")
    except ModuleNotFoundError as error:
        fail(SettingError(f"the demo needs {error.name}: pip install 'hbot-triage[demo]', or make demo"))
    raise typer.Exit(module.run(port=port, scenario=scenario))


def agent() -> None:
    """Run the agent: the process that touches the desk, apart from the one that speaks to Slack (docs/security.md)."""
    # In an interpreter of its own, which loads nothing of this command line: the agent stays small.
    os.execv(sys.executable, [sys.executable, "-m", "bot.agent"])  # noqa: S606 - no shell, no argument of anybody's
