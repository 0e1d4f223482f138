"""The command line itself, and what its commands share: settings, errors as exit codes.

Exit codes: 0 good, 1 the answer is bad, 2 wrong usage. Nothing heavy is imported here: ``--help`` must not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from triage.errors import SettingError, TriageError, exit_code

T = TypeVar("T")
app = typer.Typer(
    name="hbot-triage",
    help="Alert and incident triage for a Hummingbot trading desk, in Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
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


def fail(error: TriageError) -> NoReturn:
    """End with an error in one line."""
    typer.echo(f"hbot-triage: {error}", err=True)
    raise typer.Exit(exit_code(error)) from error


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run what awaits, and end with its error in one line where it has one."""

    async def call() -> T:
        return await work()

    try:
        return asyncio.run(call())
    except TriageError as error:
        fail(error)


def settings_or_exit() -> Any:  # noqa: ANN401 - imported late: --help must not wait for pydantic
    """Return the settings, or end with what is wrong with them."""
    from bot.settings import load_settings  # noqa: PLC0415 - as above

    try:
        return load_settings()
    except SettingError as error:
        fail(error)
