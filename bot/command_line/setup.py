"""The commands that set a desk up and check it: ``doctor``, ``check-config``, ``init``, ``schema``."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from bot.command_line.app import Json, fail, run_async, settings_or_exit
from triage.errors import SettingError, TriageError


def doctor(
    *,
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Copy the database, check it, recover what can be read.")
    ] = False,
) -> None:
    """Ask each dependency whether it is reachable and lets us in; say what is missing and how to mend it."""
    settings = settings_or_exit()
    if repair:
        _repair(settings)
    from bot.doctor.examine import examine  # noqa: PLC0415 - as above
    from bot.doctor.report import printed  # noqa: PLC0415 - as above

    answers = run_async(lambda: examine(settings))
    typer.echo(
        json.dumps([answer.as_json() for answer in answers], indent=2) if as_json else printed(answers)
    )
    raise typer.Exit(0 if all(answer.good for answer in answers) else 1)


def _repair(settings: Any) -> NoReturn:  # noqa: ANN401 - imported late, see settings_or_exit
    from bot.doctor.repair import repair  # noqa: PLC0415 - only this command pays for it

    try:
        done = repair(settings.triage_database_url.get_secret_value(), datetime.now(UTC))
    except TriageError as error:
        fail(error)
    typer.echo("\n".join(done.lines))
    raise typer.Exit(0 if done.whole else 1)


def check_config(as_json: Json = False) -> None:  # noqa: FBT002 - an option of the command line
    """Check the settings and desk.yaml without asking anybody; say every fault, not only the first."""
    from bot.commands.check_config import as_text as checked_text  # noqa: PLC0415 - as above
    from bot.commands.check_config import check_config as check  # noqa: PLC0415 - as above

    checked = check(os.environ, Path.cwd())
    typer.echo(json.dumps(checked.as_json(), indent=2) if as_json else checked_text(checked))
    raise typer.Exit(0 if checked.good else 1)


def init(
    *,
    root: Annotated[
        Path, typer.Option(help="The desk's folder: the one with compose/, env/, data/.")
    ] = Path(),
    out: Annotated[Path, typer.Option(help="Where the files go.")] = Path("hbot-triage"),
    write: Annotated[bool, typer.Option("--write", help="Also change files that are there.")] = False,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask for what cannot be seen.")] = True,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Ask the engine and Prometheus what runs.")
    ] = True,
    docker: Annotated[str, typer.Option(help="The engine; else DOCKER_HOST, or its usual socket.")] = "",
    prometheus: Annotated[
        str,
        typer.Option(help="Prometheus; else PROMETHEUS_URL, or the port that the compose file publishes."),
    ] = "",
) -> None:
    """Read the desk and write desk.yaml, .env, Alertmanager's receiver and the compose file for it."""
    from bot.commands import init as command  # noqa: PLC0415 - as above
    from bot.init.files import Asked  # noqa: PLC0415 - as above

    def question(text: str) -> str:
        return str(typer.prompt(text, default="", show_default=False)).strip()

    try:
        first = ask and command.is_interactive() and not (out / "desk.yaml").exists()
        runs = command.ask_the_desk(root, os.environ, docker=docker, prometheus=prometheus) if live else None
        asked = command.ask_the_rest(question) if first else Asked()
        result = command.prepare(root, out, asked, live=runs)
        for note in result.notes:
            typer.echo(f"  {note}")
        left = [change for change in result.changes if change.differs and not _taken(change, write)]
    except SettingError as error:
        fail(error)
    if left:
        typer.echo(f"{len(left)} files differ and were not changed; --write takes what init would write")
    typer.echo("Next: hbot-triage check-config and hbot-triage doctor in " + str(out))


def _taken(change: Any, write: bool) -> bool:  # noqa: ANN401, FBT001 - imported late, see settings_or_exit
    """Write a file that is new, or that may be changed; show what differs in one that may not."""
    from bot.commands import init as command  # noqa: PLC0415 - as above

    if change.before is not None and not write:
        typer.echo(change.diff())
        return False
    command.write(change)
    typer.echo(f"written: {change.path}")
    return True


def schema() -> None:
    """Print the JSON schema of desk.yaml, so that an editor completes and checks it."""
    from bot.commands.schema import desk_schema  # noqa: PLC0415 - as above

    typer.echo(json.dumps(desk_schema(), indent=2))
