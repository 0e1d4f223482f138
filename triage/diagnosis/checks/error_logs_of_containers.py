"""The bots' errors where Loki cannot be asked: the last lines that the engine keeps of each bot's container.

They are few and have nothing to be compared with: what is usual is not known, nothing is called new, and what is
missing between them is no sign that all is well.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from triage.concurrency import all_of, attempt
from triage.diagnosis.bot_errors import BotErrors, LogBaseline, LogWindow, judge, read_recent
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.checks.error_log_words import finding_of
from triage.errors import SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import LogLines

SOURCE = "Docker"
BOTS_MAX = 12
"""Containers that are asked: each costs the engine a look."""


async def of_containers(ctx: CheckContext, window: LogWindow, lost: SourceError) -> Finding:
    """Read the containers of the bots that are asked about. Raises ``lost`` where they say nothing either."""
    bots = ctx.bots[:BOTS_MAX]
    containers = ctx.sources.containers
    told = await all_of(
        attempt(containers.last_lines(ctx.desk.container_of(bot), since=window.start)) for bot in bots
    )
    read_of = {
        bot: lines
        for bot, lines in zip(bots, told, strict=True)
        if isinstance(lines, LogLines) and lines.lines
    }
    if not read_of:
        raise lost
    # Thousands of lines take a tenth of a second of pure computing: not on the loop that answers clicks.
    found = await asyncio.to_thread(_judged, read_of, window)
    return _worded(finding_of(found, window), read_of, len(ctx.bots), lost)


def _judged(read_of: dict[str, LogLines], window: LogWindow) -> dict[str, BotErrors | None]:
    return {
        bot: judge(read_recent(lines.lines, held=None, loud=None, cut=lines.truncated), LogBaseline(), window)
        for bot, lines in read_of.items()
    }


def _worded(finding: Finding, read_of: dict[str, LogLines], bots: int, lost: SourceError) -> Finding:
    """Say whose lines these are; without an error in them they are no proof of calm where some are missing."""
    why = [f"{lost.source} cannot be asked ({lost.why}): these are the last lines of the containers"]
    cut = [bot for bot, lines in read_of.items() if lines.truncated]
    if cut:
        why.append(f"not all of the window: {', '.join(cut)}")
    if len(read_of) < bots:
        why.append(f"of {len(read_of)} of {bots} bots")
    calm = finding.status is FindingStatus.OK and (cut or len(read_of) < bots)
    return replace(
        finding,
        status=FindingStatus.UNKNOWN if calm else finding.status,
        source=SOURCE,
        why="; ".join(filter(None, (*why, finding.why))),
    )
