"""The digest of some bots, built beside the service: processes of their own read, measure and draw.

What the event loop does is to pass lines on, so alerts are handled meanwhile as if there were no digest.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from loguru import logger
from pydantic import TypeAdapter

from bot.sources.minute_csv.child_process import child, first_error
from bot.sources.minute_csv.picture_process import PictureProcess
from bot.sources.minute_csv.protocol import BotAsk, Request
from bot.sources.minute_csv.reading import DigestWindow
from bot.watched_reads import FOLDERS
from triage.errors import DeskFailure, SourceBadAnswer, SourceTimeout, SourceUnreachable
from triage.kpis.model import ActionNote, BotReport, DigestReport, IncidentNote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from bot.sources.minute_csv.child_process import Child

SOURCE = "CSV files"
_READS = "digest"
_ONE_PROCESS = 60_000
"""Minutes (of all bots together) up to which a second process would only cost its start."""
_PROCESSES = 2
_NICE = 10
"""Of a large digest, which nobody is waiting for: the service goes first."""

__all__ = ["BotAsk", "build_digest"]


async def build_digest(
    data: Path,
    bots: Sequence[BotAsk],
    window: tuple[datetime, datetime],
    *,
    incidents: Sequence[IncidentNote] = (),
    actions: Sequence[ActionNote] = (),
    pictures: Path | None = None,
    themes: Sequence[str] = ("light",),
    seconds: float = 120.0,
    bot_seconds: float = 20.0,
    picture_seconds: float = 30.0,
) -> DigestReport:
    """Measure bots in a window (start, end; times with an offset, taken down to whole minutes).

    ``pictures``: the folder for one PNG a bot and theme (``light``, ``dark``); None draws none. A bot or a
    picture that fails is named in ``problems`` and does not keep the others away; ``seconds`` bounds the
    measuring, ``bot_seconds`` each bot's share of it, ``picture_seconds`` what the pictures may take on top.

    Raises ValueError for a window that ends before it starts; SourceUnreachable where ``data`` is no folder
    that can be read; SourceTimeout; SourceBadAnswer where every measuring process failed.
    """
    began = time.monotonic()
    nice = _NICE if DigestWindow.of(*window).minutes * len(bots) > _ONE_PROCESS else 0
    await _readable(data)
    request = Request(
        data,
        *window,
        bots=tuple(bots),
        incidents=tuple(incidents),
        actions=tuple(actions),
        pictures=pictures is not None,
        bot_seconds=bot_seconds,
    )
    work = _Work()
    if pictures is not None:
        work.drawing = PictureProcess(pictures, themes, seconds=picture_seconds, nice=nice)
    try:
        async with asyncio.TaskGroup() as tasks:
            if work.drawing is not None:
                tasks.create_task(work.drawing.run())
            try:
                async with asyncio.timeout(seconds):
                    await _measure(request, work, nice)
            finally:
                if work.drawing is not None:
                    work.drawing.finish()
    except ExceptionGroup as group:
        error = first_error(group)
        if isinstance(error, TimeoutError):
            FOLDERS.note(_READS, f"reading the bots' files for a digest had no end within {seconds:g} s")
        raise _in_our_words(error, seconds) from group
    FOLDERS.note(_READS, "")
    return work.report(window, bots, time.monotonic() - began)


def _in_our_words(error: BaseException, seconds: float) -> BaseException:
    """Return what kept the digest away as an error of a source; an error of another kind as it is."""
    if isinstance(error, TimeoutError):
        return SourceTimeout(SOURCE, f"not measured within {seconds:g} s")
    if isinstance(error, OSError):
        return SourceUnreachable(SOURCE, f"no process could be started: {error}")
    if isinstance(error, ValueError):
        return SourceBadAnswer(SOURCE, f"the measuring process answered what is no report: {error}")
    return error


async def _readable(data: Path) -> None:
    """Look into the folder of the bots, on a thread with a deadline. Raises SourceUnreachable, SourceTimeout."""
    try:
        await FOLDERS.read(lambda: _check(data), str(data))
    except DeskFailure as error:
        raise SourceTimeout(SOURCE, str(error)) from error


def _check(data: Path) -> None:
    try:
        os.scandir(data).close()
    except OSError as error:
        why = (
            f"{data} cannot be read ({error.strerror}); paths.data in desk.yaml names the folder of the bots"
        )
        raise SourceUnreachable(SOURCE, why) from error


class _Work:
    """What has come in so far."""

    def __init__(self) -> None:
        self.drawing: PictureProcess | None = None
        self.reports: dict[str, BotReport] = {}
        self.problems: list[str] = []

    def take(self, line: bytes) -> None:
        """Take one line of a measuring process."""
        kind, body = line[:1], line[2:]
        if kind == b"R":
            report = _adapter().validate_json(body)
            self.reports[report.bot] = report
        elif kind == b"P" and self.drawing is not None:
            bot, _, picture = body.partition(b"\t")
            self.drawing.jobs.put_nowait((json.loads(bot), picture))
        elif kind == b"E":
            error = json.loads(body)
            self.problems.append(f"{error['bot']} could not be measured: {error['error']}")

    def report(
        self, window: tuple[datetime, datetime], bots: Sequence[BotAsk], seconds: float
    ) -> DigestReport:
        """Return the digest, its bots in the order they were asked for."""
        named = [ask.name for ask in bots]
        if bots and not self.reports:
            raise SourceBadAnswer(SOURCE, "; ".join(self.problems) or "the measuring process gave no answer")
        drawing = self.drawing
        pictures = drawing.drawn(named) if drawing is not None else ()
        return DigestReport(
            start=_whole_minute(window[0]),
            end=_whole_minute(window[1]),
            bots=tuple(self.reports[name] for name in named if name in self.reports),
            pictures=pictures,
            problems=(*self.problems, *(drawing.problems if drawing is not None else ())),
            seconds=seconds,
            unmeasured=tuple(name for name in named if name not in self.reports),
        )


def _whole_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


@cache
def _adapter() -> TypeAdapter[BotReport]:
    return TypeAdapter(BotReport)


async def _measure(request: Request, work: _Work, nice: int) -> None:
    """Share the bots out among as many processes as are worth their start."""
    count = min(_PROCESSES, len(request.bots)) if nice else 1
    async with asyncio.TaskGroup() as tasks:
        for part in range(count):
            tasks.create_task(_part(request, request.bots[part::count], work, nice))


async def _part(request: Request, bots: tuple[BotAsk, ...], work: _Work, nice: int) -> None:
    body = json.dumps(replace(request, bots=bots).to_json())
    async with child("bot.sources.minute_csv", nice=nice) as measurer:
        await _ask(measurer, body.encode())
        async for line in measurer.lines():
            work.take(line)
        if code := await measurer.process.wait():
            logger.bind(words=measurer.last_errors, code=code).error("a measuring process failed")
            work.problems.append(_ended(code, measurer.last_errors))


def _ended(code: int, last_errors: str) -> str:
    """Say how a measuring process ended that did not end well; ``code`` below 0: by which signal."""
    if code == -signal.SIGKILL:
        return "the measuring process was killed (is the memory short?)"
    return f"the measuring process ended: {last_errors or f'code {code}'}"


async def _ask(measurer: Child, body: bytes) -> None:
    measurer.stdin.write(body)
    try:
        await measurer.stdin.drain()
    except ConnectionError:  # it died at its start: its exit code and what it wrote last tell why
        return
    measurer.stdin.close()
