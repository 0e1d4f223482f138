"""Does the bot run the code that is on its disk: controller files newer than the process or its bytecode.

``docker restart`` does not clear Python's cache; the runbook's fix is to remove it and recreate the bot.

``data``: ``{"bots": {bot: {"controller_stale": bool (the bot's own controller is among the stale),
"newer_than_process": [path], "newer_than_bytecode": [path], "changed_at" (ISO of the newest such file)}}}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from triage.concurrency import all_of, attempt, together
from triage.diagnosis.checks.base import CheckContext, worst_status
from triage.errors import SourceBadAnswer, SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import FileStat
from triage.wording import clock_time, listed

_BOTS_MAX = 16
"""An archive of code of each: a hundred of them would take the engine's time from the desk."""
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


def folders_of(caches: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of code that the bytecode folders lie in, each once and none below another."""
    folders = sorted({PurePosixPath(cache).parent for cache in caches})
    return tuple(str(folder) for folder in folders if not any(other in folder.parents for other in folders))


async def run(ctx: CheckContext) -> Finding:
    """Ask for the times of the controllers and their bytecode in each bot's container."""
    asked = ctx.bots[:_BOTS_MAX]
    answers = await all_of(attempt(_of_bot(ctx, bot)) for bot in asked)
    found = {bot: each for bot, each in zip(asked, answers, strict=True) if isinstance(each, CodeNow)}
    failed = {bot: each for bot, each in zip(asked, answers, strict=True) if isinstance(each, SourceError)}
    if not found and failed:
        raise next(iter(failed.values()))
    finding = _finding(found, failed)
    if len(asked) == len(ctx.bots):
        return finding
    left = f"{len(asked)} of {len(ctx.bots)} bots were looked at"
    why = "; ".join(filter(None, (finding.why, left)))
    return replace(finding, headline=f"{finding.headline} ({left})", why=why)


async def _of_bot(ctx: CheckContext, bot: str) -> CodeNow:
    container = ctx.desk.container_of(bot)
    containers, folders = ctx.sources.containers, folders_of(ctx.desk.paths.caches)
    state, listings = await together(
        containers.inspect(container), all_of(containers.files(container, folder) for folder in folders)
    )
    if state is None or state.started_at is None or not state.running:
        raise SourceBadAnswer(SOURCE, f"{container} does not run")
    files = [each for listing in listings for each in listing if each.path.endswith((".py", ".pyc"))]
    if not files:
        raise SourceBadAnswer(SOURCE, f"no controller files found in {container}: {', '.join(folders)}")
    known = ctx.desk.bot(bot)
    return compare(files, state.started_at, known.controller if known is not None else "")


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
    summary = f"older code runs in {listed(stale)}" if stale else "every bot runs the code on its disk"
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
    names = listed(list(dict.fromkeys(PurePosixPath(path).name for path in code.stale)), 3)
    at = clock_time(datetime.fromisoformat(code.changed_at))
    than = "the process" if code.newer_than_process else "its bytecode"
    return f"{names} newer than {than} (changed {at})"
