"""The commands that print what is kept: ``audit``, ``digest``, ``postmortem``."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.command_line.app import Json, fail, run_async, settings_or_exit
from bot.whole_files import write_whole
from triage.errors import BadInput

Verify = Annotated[bool, typer.Option("--verify", help="Check that no line was changed, lost or moved.")]


def audit(
    *,
    verify: Verify = False,
    head: Annotated[
        str,
        typer.Option(
            help="With --verify: the head that was written down, as 812:9f2c… in the log and the daily digest."
        ),
    ] = "",
    accept: Annotated[
        str,
        typer.Option(
            help="Your name: you looked at the loss that /readyz tells; that is written down, and told no more."
        ),
    ] = "",
    only: Annotated[str, typer.Option(help="Only lines whose actor, event or target has this text.")] = "",
    who: Annotated[str, typer.Option(help="Only what this person or part did: a name or an id.")] = "",
    event: Annotated[str, typer.Option(help="Only these events, as denied or action.confirmed.")] = "",
    about: Annotated[str, typer.Option(help="Only what was done to this: INC-42, bot1.")] = "",
    since: Annotated[str, typer.Option(help="Only from then on: 24h, 7d, or 2026-02-21T00:00 (UTC).")] = "",
    last: Annotated[int, typer.Option(min=0, help="Only so many lines, the newest; 0: all.")] = 0,
    as_json: Json = False,
) -> None:
    """Print the audit trail: who did, or was denied, what to what."""
    settings = settings_or_exit()
    from bot.commands.audit import accept_loss, print_trail, verify_trail  # noqa: PLC0415 - as above
    from bot.commands.audit_filter import TrailFilter, since_of  # noqa: PLC0415 - as above

    if accept:
        typer.echo(run_async(lambda: accept_loss(settings, accept)))
        return
    if verify or head:
        found = run_async(lambda: verify_trail(settings, head))
        for fault in found.faults:
            typer.echo(f"broken: {fault}", err=True)
        if not found.faults:
            typer.echo("The audit trail is whole.")
            typer.echo(f"Its head is {found.head}")
        for note in found.notes:
            typer.echo(f"note: {note}")
        raise typer.Exit(1 if found.faults else 0)

    async def printed() -> None:
        begin = since_of(since, datetime.now(UTC))
        wanted = TrailFilter(text=only, who=who, event=event, about=about, since=begin)
        await print_trail(settings, typer.echo, as_json=as_json, wanted=wanted, last=last)

    run_async(printed)


def digest(
    *,
    bot: Annotated[str, typer.Option(help="One bot; every bot of the desk without it.")] = "",
    window: Annotated[str, typer.Option(help="How long: 24h, 7d, 30d.")] = "24h",
    at: Annotated[
        str, typer.Option(help="When the window ends, e.g. 2026-02-21T00:00:00Z; now without it.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="The folder of the bots' files; without it paths.data of desk.yaml.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="Draw the window into this file (of several bots: one file each).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the paper validation and the trading result of a window, and print the verdict."""
    settings = settings_or_exit()
    from bot.commands.reports import DigestAsk, make_digest  # noqa: PLC0415 - as above

    async def make() -> Any:  # noqa: ANN401 - imported late, see settings_or_exit
        return await make_digest(
            settings, DigestAsk(bot=bot, window=window, at=moment(at) if at else None, data=data, png=png)
        )

    made = run_async(make)
    report = made.measured.report
    typer.echo(json.dumps(made.to_json(), indent=2) if as_json else made.text(), nl=as_json)
    raise typer.Exit(0 if report.bots else 1)


def postmortem(
    incident: Annotated[str, typer.Argument(help="The incident: INC-42 or 42.")],
    as_json: Json = False,  # noqa: FBT002 - as above
    out: Annotated[Path | None, typer.Option(help="Write it into this file, its chart beside it.")] = None,
) -> None:
    """Write an incident out as Markdown: timeline, root cause, impact, corrective action, prevention tasks."""
    digits = incident.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit()):
        fail(BadInput(f"{incident[:40]!r} is no incident; write for instance INC-42", "INCIDENT"))
    if out is not None:
        _must_be_writable(out, f"INC-{digits}.md")
    settings = settings_or_exit()
    from bot.commands.reports import make_postmortem  # noqa: PLC0415 - as above
    from triage.reports.postmortem.markdown import as_markdown  # noqa: PLC0415 - as above

    post = run_async(lambda: make_postmortem(settings, int(digits), out))
    text = json.dumps(post.to_json(), indent=2, ensure_ascii=False) if as_json else as_markdown(post)
    if out is None:
        typer.echo(text, nl=as_json)
        return
    try:
        write_whole(out, text.encode())
    except OSError as error:
        fail(BadInput(f"{out} cannot be written: {error.strerror}", "--out"))
    typer.echo(f"INC-{digits} is written to {out}")


def _must_be_writable(out: Path, name: str) -> None:
    """Fail before anything is gathered where a file can be seen not to be written; its chart goes beside it."""
    if out.is_dir():
        fail(BadInput(f"{out} is a folder; name a file in it, for instance {out / name}", "--out"))
    if not out.parent.is_dir():
        fail(BadInput(f"{out} cannot be written: there is no folder {out.parent}", "--out"))
    denied = next(
        (each for each in (out.parent, out) if each.exists() and not os.access(each, os.W_OK)), None
    )
    if denied is not None:
        fail(BadInput(f"{out} cannot be written: {denied} may not be written by this user", "--out"))


_YEARS = (1971, 9998)
"""Of an end of a window: the times around it are reckoned with too."""


def moment(text: str) -> datetime:
    """Parse a time of the command line: ISO 8601 with a time zone. Raises BadInput."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no time; write for instance 2026-02-21T00:00:00Z", "--at") from error
    if at.tzinfo is None:
        raise BadInput(f"{text!r} has no time zone; write for instance 2026-02-21T00:00:00Z", "--at")
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise BadInput(f"{text!r} is of no year from {_YEARS[0]} to {_YEARS[1]}; no bot wrote then", "--at")
    return at
