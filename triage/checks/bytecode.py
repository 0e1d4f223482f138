"""Does the bot run the code that is on its disk: controller files newer than the process or its bytecode.

``docker restart`` does not clear Python's cache; the runbook's fix is to remove it and recreate the bot.

``data``: ``{"bots": {bot: {"controller_stale": bool (the bot's own controller is among the stale),
"newer_than_process": [path], "newer_than_bytecode": [path], "changed_at" (ISO of the newest such file)}}}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from triage.checks.base import CheckContext, all_of, attempt, together, worst_status
from triage.errors import SourceBadAnswer, SourceError
from triage.model import Finding, FindingStatus, utc
from triage.ports.sources import FileStat
from triage.wording import clock_time, listed

NAME = "bytecode"
TITLE = "Bytecode"
SOURCE = "Docker"

_TOLERANCE = timedelta(seconds=2)
"""File systems and the engine round times differently."""


@dataclass(slots=True)
class CodeNow:
    """One bot's code; see the module."""

    controller_stale: bool = False
    newer_than_process: list[str] = field(default_factory=list)
    newer_than_bytecode: list[str] = field(default_factory=list)
    changed_at: str = ""

    @property
    def stale(self) -> list[str]:
        """Every file that is newer than what runs."""
        return sorted({*self.newer_than_process, *self.newer_than_bytecode})


def find_command(caches: Iterable[str]) -> tuple[str, ...]:
    """Return the command that lists sources and bytecode as ``<mtime> <size> <path>`` lines.

    It runs without a shell, and the same with GNU's find and with busybox's.
    """
    folders = dict.fromkeys(str(PurePosixPath(cache).parent) for cache in caches)
    names = ("(", "-name", "*.py", "-o", "-name", "*.pyc", ")")
    return (
        "find",
        *folders,
        "-maxdepth",
        "2",
        "-type",
        "f",
        *names,
        "-exec",
        "stat",
        "-c",
        "%Y %s %n",
        "{}",
        "+",
    )


async def run(ctx: CheckContext) -> Finding:
    """Ask in each bot's container for the times of its controllers and their bytecode."""
    answers = await all_of(attempt(_of_bot(ctx, bot)) for bot in ctx.bots)
    found = {bot: each for bot, each in zip(ctx.bots, answers, strict=True) if isinstance(each, CodeNow)}
    failed = {bot: each for bot, each in zip(ctx.bots, answers, strict=True) if isinstance(each, SourceError)}
    if not found and failed:
        raise next(iter(failed.values()))
    return _finding(found, failed)


async def _of_bot(ctx: CheckContext, bot: str) -> CodeNow:
    container = ctx.desk.container_of(bot)
    state, result = await together(
        ctx.sources.containers.inspect(container),
        ctx.sources.containers.exec(
            container,
            find_command(ctx.desk.paths.caches),
            timeout_seconds=ctx.desk.triage.deadline_seconds,
        ),
    )
    if state is None or state.started_at is None or not state.running:
        raise SourceBadAnswer(SOURCE, f"{container} does not run")
    files = parse_listing(result.output)
    if not files:
        first = result.output.strip().splitlines()[:1]
        raise SourceBadAnswer(
            SOURCE, f"no controller files found in {container}" + (f": {first[0][:200]}" if first else "")
        )
    known = ctx.desk.bot(bot)
    return compare(files, state.started_at, known.controller if known is not None else "")


def parse_listing(output: str) -> tuple[FileStat, ...]:
    """Read the lines of ``find_command``; other lines (errors of find) are left out."""
    found: dict[str, FileStat] = {}
    for line in output.splitlines():
        modified, _, rest = line.partition(" ")
        length, _, path = rest.partition(" ")
        if modified.isdecimal() and length.isdecimal() and path.startswith("/"):
            found[path] = FileStat(path, utc(int(modified)), int(length))
    return tuple(found.values())


def compare(files: Iterable[FileStat], started_at: datetime, controller: str) -> CodeNow:
    """Say which sources are newer than the process and than their bytecode."""
    known = {each.path: each for each in files}
    sources = [each for each in known.values() if each.path.endswith(".py")]
    now = CodeNow()
    for source in sources:
        bytecode = _bytecode_of(source.path, known)
        if source.modified_at > started_at + _TOLERANCE:
            now.newer_than_process.append(source.path)
        if bytecode is not None and source.modified_at > bytecode.modified_at + _TOLERANCE:
            now.newer_than_bytecode.append(source.path)
    stale = [known[path] for path in now.stale]
    now.controller_stale = any(PurePosixPath(each.path).stem == controller for each in stale)
    now.changed_at = max(each.modified_at for each in stale).isoformat() if stale else ""
    return now


def _bytecode_of(source: str, known: Mapping[str, FileStat]) -> FileStat | None:
    path = PurePosixPath(source)
    folder = str(path.parent / "__pycache__")
    mine = [
        each
        for each in known.values()
        if each.path.startswith(f"{folder}/{path.stem}.") and each.path.endswith(".pyc")
    ]
    return max(mine, key=lambda each: each.modified_at, default=None)


def _finding(found: Mapping[str, CodeNow], failed: Mapping[str, SourceError]) -> Finding:
    lines = {bot: _describe(code) for bot, code in found.items()}
    single = len(found) + len(failed) == 1
    statuses = [FindingStatus.WARNING if code.stale else FindingStatus.OK for code in found.values()]
    stale = [bot for bot, code in found.items() if code.stale]
    summary = f"older code runs in {', '.join(stale)}" if stale else "every bot runs the code on its disk"
    return Finding(
        name=NAME,
        status=worst_status([*statuses, *(FindingStatus.UNKNOWN for _ in failed)]),
        headline=next(iter(lines.values())) if single else summary,
        source=SOURCE,
        why="; ".join(f"{bot}: {error.why}" for bot, error in failed.items()),
        details=() if single else tuple(f"{bot}: {line}" for bot, line in lines.items()),
        data={"bots": {bot: asdict(code) for bot, code in found.items()}},
    )


def _describe(code: CodeNow) -> str:
    if not code.stale:
        return "runs the code on its disk"
    names = listed([PurePosixPath(path).name for path in code.stale], 3)
    at = clock_time(datetime.fromisoformat(code.changed_at))
    than = "the process" if code.newer_than_process else "its bytecode"
    return f"{names} newer than {than} (changed {at})"
