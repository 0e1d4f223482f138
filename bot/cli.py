"""``hbot-triage``: the commands. Exit codes: 0 good, 1 the answer is bad, 2 wrong usage."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from triage.errors import BadInput, SettingError, StoreUnavailable, TriageError

T = TypeVar("T")
app = typer.Typer(
    name="hbot-triage",
    help="Alert and incident triage for a Hummingbot trading desk, in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Verify = Annotated[bool, typer.Option("--verify", help="Check that no line was changed, lost or moved.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def _version(asked: bool) -> None:  # noqa: FBT001 - Typer's own form
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - as above

        typer.echo(f"hbot-triage {version('hbot-triage')}")
        raise typer.Exit


@app.callback()
def everything(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Alert and incident triage for a Hummingbot trading desk, in Slack."""
    del version  # its callback printed it


def main() -> None:
    """Run the command line. What it writes is its own user's: the database holds what people said."""
    os.umask(0o077)
    app()


def _fail(error: TriageError) -> NoReturn:
    typer.echo(f"hbot-triage: {error}", err=True)
    raise typer.Exit(2 if isinstance(error, (SettingError, BadInput)) else 1) from error


def _run(work: Callable[[], Awaitable[T]]) -> T:
    async def call() -> T:
        return await work()

    try:
        return asyncio.run(call())
    except (SettingError, BadInput, StoreUnavailable, TriageError) as error:
        _fail(error)


def _settings() -> Any:  # noqa: ANN401 - imported late: --help must not wait for pydantic
    from bot.settings import load_settings  # noqa: PLC0415 - as above

    try:
        return load_settings()
    except SettingError as error:
        _fail(error)


@app.command()
def run() -> None:
    """Run the service: webhooks in, Slack threads out."""
    settings = _settings()
    from bot.service import run_until_told  # noqa: PLC0415 - only this command pays for it

    try:
        run_until_told(settings.ready_to_run())
    except TriageError as error:
        _fail(error)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="The page's port; 0 takes a free one.", min=0, max=65535)] = 8080,
    scenario: Annotated[str, typer.Option(help="Start with this going wrong; 'list' names them.")] = "",
) -> None:
    """Start a trading desk and a Slack workspace on this machine, to try it all."""
    import importlib  # noqa: PLC0415 - demo imports bot, so bot looks it up only when it is asked for

    try:
        module = importlib.import_module("demo.main")
    except ModuleNotFoundError as error:
        _fail(SettingError(f"the demo needs {error.name}: pip install 'hbot-triage[demo]', or make demo"))
    raise typer.Exit(module.run(port=port, scenario=scenario))


@app.command()
def agent() -> None:
    """Run the agent: the process that touches the desk, apart from the one that speaks to Slack (docs/security.md)."""
    # In an interpreter of its own, which loads nothing of this command line: the agent stays small.
    os.execv(sys.executable, [sys.executable, "-m", "bot.agent"])  # noqa: S606 - no shell, no argument of anybody's


@app.command()
def doctor(
    *,
    as_json: Json = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Copy the database, check it, recover what can be read.")
    ] = False,
) -> None:
    """Ask each dependency whether it is reachable and lets us in; say what is missing and how to mend it."""
    settings = _settings()
    if repair:
        _repair(settings)
    from bot.doctor.examine import examine  # noqa: PLC0415 - as above
    from bot.doctor.report import printed  # noqa: PLC0415 - as above

    answers = _run(lambda: examine(settings))
    typer.echo(
        json.dumps([answer.as_json() for answer in answers], indent=2) if as_json else printed(answers)
    )
    raise typer.Exit(0 if all(answer.good for answer in answers) else 1)


def _repair(settings: Any) -> NoReturn:  # noqa: ANN401 - imported late, see _settings
    from bot.doctor.repair import repair  # noqa: PLC0415 - only this command pays for it

    try:
        done = repair(settings.triage_database_url.get_secret_value(), datetime.now(UTC))
    except TriageError as error:
        _fail(error)
    typer.echo("\n".join(done.lines))
    raise typer.Exit(0 if done.whole else 1)


@app.command("check-config")
def check_config(as_json: Json = False) -> None:  # noqa: FBT002 - an option of the command line
    """Check the settings and desk.yaml without asking anybody; say every fault, not only the first."""
    from bot.commands.check_config import as_text as checked_text  # noqa: PLC0415 - as above
    from bot.commands.check_config import check_config as check  # noqa: PLC0415 - as above

    checked = check(os.environ, Path.cwd())
    typer.echo(json.dumps(checked.as_json(), indent=2) if as_json else checked_text(checked))
    raise typer.Exit(0 if checked.good else 1)


@app.command()
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
        _fail(error)
    if left:
        typer.echo(f"{len(left)} files differ and were not changed; --write takes what init would write")
    typer.echo("Next: hbot-triage check-config and hbot-triage doctor in " + str(out))


def _taken(change: Any, write: bool) -> bool:  # noqa: ANN401, FBT001 - imported late, see _settings
    """Write a file that is new, or that may be changed; show what differs in one that may not."""
    from bot.commands import init as command  # noqa: PLC0415 - as above

    if change.before is not None and not write:
        typer.echo(change.diff())
        return False
    command.write(change)
    typer.echo(f"written: {change.path}")
    return True


@app.command()
def schema() -> None:
    """Print the JSON schema of desk.yaml, so that an editor completes and checks it."""
    from bot.commands.schema import desk_schema  # noqa: PLC0415 - as above

    typer.echo(json.dumps(desk_schema(), indent=2))


@app.command()
def triage(
    alert: Annotated[
        Path, typer.Argument(help="A file with Alertmanager's webhook, or one alert of it; - reads stdin.")
    ],
    as_json: Json = False,  # noqa: FBT002 - an option of the command line
) -> None:
    """Triage one alert now and print what was found; nothing is stored or posted."""
    settings = _settings()
    from bot.commands.triage import as_text, read_alert, triage_once  # noqa: PLC0415 - as above

    try:
        signals = read_alert(settings.desk, _text_of(alert))
    except BadInput as error:
        _fail(error)
    result = _run(lambda: triage_once(settings, signals))
    typer.echo(json.dumps(result.as_json(), indent=2) if as_json else as_text(result))
    raise typer.Exit(0 if result.answered else 1)


@app.command()
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
    settings = _settings()
    from bot.commands import replay as command  # noqa: PLC0415 - as above

    cases = _run(lambda: command.gather_cases(settings, asked, every=every))
    if export is not None:
        try:
            lines = command.export(cases, export)
        except TriageError as error:
            _fail(error)
        typer.echo("\n".join(lines))
        return
    found = command.replayed(cases)
    if as_json:
        typer.echo(json.dumps([each.to_json() for each in found], indent=2))
    else:
        typer.echo("\n".join(line for each in found for line in each.lines()))
    raise typer.Exit(1 if any(each.changed for each in found) else 0)


def _text_of(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(BadInput(f"{path} cannot be read: {error}"))


@app.command()
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
    as_json: Json = False,
) -> None:
    """Print the audit trail: who did, or was denied, what to what."""
    settings = _settings()
    from bot.commands.audit import accept_loss, print_trail, verify_trail  # noqa: PLC0415 - as above

    if accept:
        typer.echo(_run(lambda: accept_loss(settings, accept)))
        return
    if verify or head:
        found = _run(lambda: verify_trail(settings, head))
        for fault in found.faults:
            typer.echo(f"broken: {fault}", err=True)
        if not found.faults:
            typer.echo("The audit trail is whole.")
            typer.echo(f"Its head is {found.head}")
        for note in found.notes:
            typer.echo(f"note: {note}")
        raise typer.Exit(1 if found.faults else 0)
    _run(lambda: print_trail(settings, typer.echo, as_json=as_json, only=only))


@app.command()
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
    settings = _settings()
    from bot.commands.reports import DigestAsk, make_digest  # noqa: PLC0415 - as above

    async def make() -> Any:  # noqa: ANN401 - imported late, see _settings
        return await make_digest(
            settings, DigestAsk(bot=bot, window=window, at=moment(at) if at else None, data=data, png=png)
        )

    made = _run(make)
    report = made.measured.report
    typer.echo(json.dumps(made.to_json(), indent=2) if as_json else made.text(), nl=as_json)
    raise typer.Exit(0 if report.bots else 1)


@app.command()
def postmortem(
    incident: Annotated[str, typer.Argument(help="The incident: INC-42 or 42.")],
    as_json: Json = False,  # noqa: FBT002 - as above
    out: Annotated[Path | None, typer.Option(help="Write it into this file, its chart beside it.")] = None,
) -> None:
    """Write an incident out as Markdown: timeline, root cause, impact, corrective action, prevention tasks."""
    digits = incident.upper().removeprefix("INC-")
    if not (digits.isascii() and digits.isdigit()):
        _fail(BadInput(f"{incident[:40]!r} is no incident; write for instance INC-42", "INCIDENT"))
    settings = _settings()
    from bot.commands.reports import make_postmortem  # noqa: PLC0415 - as above
    from triage.reports.postmortem.markdown import as_markdown  # noqa: PLC0415 - as above

    post = _run(lambda: make_postmortem(settings, int(digits), out))
    text = json.dumps(post.to_json(), indent=2, ensure_ascii=False) if as_json else as_markdown(post)
    if out is None:
        typer.echo(text, nl=as_json)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(BadInput(f"{out} cannot be written: {error.strerror}", "--out"))
    typer.echo(f"INC-{digits} is written to {out}")


def moment(text: str) -> datetime:
    """Parse a time of the command line: ISO 8601 with a time zone. Raises BadInput."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no time; write for instance 2026-02-21T00:00:00Z", "--at") from error
    if at.tzinfo is None:
        raise BadInput(f"{text!r} has no time zone; write for instance 2026-02-21T00:00:00Z", "--at")
    return at


if __name__ == "__main__":
    main()
