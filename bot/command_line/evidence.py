"""The commands that judge evidence: ``triage`` one alert now, ``replay`` what was recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.command_line.app import Json, fail, run_async, settings_or_exit
from triage.errors import BadInput, TriageError


def triage(
    alert: Annotated[
        Path, typer.Argument(help="A file with Alertmanager's webhook, or one alert of it; - reads stdin.")
    ],
    as_json: Json = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Triage one alert now and print what was found; nothing is stored or posted."""
    settings = settings_or_exit()
    from bot.commands.triage import as_text, read_alert, triage_once  # noqa: PLC0415 - as above

    try:
        signals = read_alert(settings.desk, _text_of(alert))
    except BadInput as error:
        fail(error)
    result = run_async(lambda: triage_once(settings, signals))
    typer.echo(json.dumps(result.as_json(), indent=2) if as_json else as_text(result))
    raise typer.Exit(0 if result.answered else 1)


def replay(
    asked: Annotated[
        list[str], typer.Argument(metavar="FILE|INC...", help="Exported cases, or incidents: INC-42 or 42.")
    ],
    *,
    every: Annotated[
        bool, typer.Option("--every", help="Every triage of an incident, not only its newest.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write them into this folder as cases for the lab, and judge nothing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge recorded evidence by today's rules and show what changed; exit code 0: nothing did, 1: something did."""
    settings = settings_or_exit()
    from bot.commands import replay as command  # noqa: PLC0415 - as above

    cases = run_async(lambda: command.gather_cases(settings, asked, every=every))
    if export is not None:
        try:
            lines = command.export(cases, export)
        except TriageError as error:
            fail(error)
        typer.echo("\n".join(lines))
        return
    found = command.replayed(cases)
    if as_json:
        typer.echo(json.dumps([each.to_json() for each in found], indent=2))
    else:
        typer.echo("\n".join(line for each in found for line in each.lines()))
    raise typer.Exit(1 if any(each.changed for each in found) else 0)


def _text_of(path: Path) -> str:
    from bot.desk_file import why_unread  # noqa: PLC0415 - as above

    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(BadInput(f"{path} cannot be read: {why_unread(error)}"))
