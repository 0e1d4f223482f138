"""Digests of the desk's own files, with their pictures in memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.sources.minute_csv.digest import BotAsk, build_digest
from triage.desk import Desk
from triage.kpis.model import ActionNote, DigestReport, IncidentNote
from triage.ports.digests import DrawnPicture, Measured

THEME = "light"
AT_ONCE = 1
"""Digests measured at a time: the second one waits instead of taking the other core from the alerts."""


class CsvDigests:
    """Implements ``triage.ports.digests.Digests`` for a desk and its data folder."""

    def __init__(self, desk: Desk, data: Path) -> None:
        self._desk = desk
        self._data = data
        self._room = asyncio.Semaphore(AT_ONCE)

    async def measure(
        self,
        bots: Sequence[str],
        start: datetime,
        end: datetime,
        *,
        incidents: Sequence[IncidentNote] = (),
        actions: Sequence[ActionNote] = (),
        pictures: bool = False,
    ) -> Measured:
        """Measure some bots; raises SourceError where nothing could be measured at all."""
        asks = [ask_of(self._desk, bot) for bot in bots]
        async with self._room:
            with ExitStack() as stack:
                folder, problems = _folder_for_pictures(stack) if pictures else (None, ())
                report = await build_digest(
                    self._data,
                    asks,
                    (start, end),
                    incidents=incidents,
                    actions=actions,
                    pictures=folder,
                    themes=(THEME,),
                )
                report = replace(report, problems=(*report.problems, *problems))
                return await asyncio.to_thread(_with_pictures, report)


def _folder_for_pictures(stack: ExitStack) -> tuple[Path | None, tuple[str, ...]]:
    """Make a folder for the time of the stack; where none can be made the figures come all the same, and it is said."""
    try:
        folder = stack.enter_context(
            # A disk that became read-only lets nothing be removed: that costs no figures.
            tempfile.TemporaryDirectory(prefix="hbot-triage-digest-", ignore_cleanup_errors=True)
        )
    except OSError as error:
        return None, (f"pictures could not be drawn: no temporary folder: {error.strerror or error}",)
    return Path(folder), ()


def ask_of(desk: Desk, name: str) -> BotAsk:
    """Return a bot's variant and limits as desk.yaml has them."""
    bot = desk.bot(name)
    return BotAsk(name, bot.variant if bot is not None else None, desk.limits_of(name))


def _with_pictures(report: DigestReport) -> Measured:
    drawn, problems = list[DrawnPicture](), list(report.problems)
    for picture in report.pictures:
        try:
            drawn.append(DrawnPicture(picture.bot, picture.alt, Path(picture.path).read_bytes()))
        except OSError as error:
            problems.append(f"picture of {picture.bot} is gone: {error.strerror}")
    return Measured(replace(report, pictures=(), problems=tuple(problems)), tuple(drawn))
