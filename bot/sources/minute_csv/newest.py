"""The newest minute of a bot: its last whole row, with the columns it really has."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from pathlib import Path

from bot.sources.minute_csv.folders import variants
from bot.sources.minute_csv.layouts import MINUTE, MINUTE_ALWAYS, Layouts
from bot.sources.minute_csv.rows import clean, header_of
from bot.sources.minute_csv.seek import stamp_of
from triage.errors import SourceUnreachable
from triage.ports.checklists import PaperDiagnostics
from triage.ports.clock import Clock

SOURCE = "minute.csv"
HEAD, TAIL = 8 * 1024, 64 * 1024


class NewestMinutes:
    """Implements ``triage.ports.checklists.PaperFigures`` for ``data``."""

    def __init__(self, data: Path, clock: Clock, configured: Mapping[str, str]) -> None:
        self._data = data
        self._clock = clock
        self._configured = configured

    async def newest(self, bot: str) -> PaperDiagnostics | None:
        """Return the newest minute's figures; None where the bot wrote no minute. Raises SourceUnreachable."""
        try:
            row = await asyncio.to_thread(newest_row, self._data, bot, self._configured.get(bot, ""))
        except OSError as error:
            raise SourceUnreachable(SOURCE, f"{error.filename} cannot be read ({error.strerror})") from error
        return None if row is None else diagnostics(*row, self._clock.now())


def diagnostics(stamp: float, values: Mapping[str, str], now: datetime) -> PaperDiagnostics:
    """Return the paper figures of a row; what is no number counts as missing."""
    return PaperDiagnostics(
        fills=_number(values, "paper_fill_count"),
        rejects=_number(values, "paper_reject_count"),
        queue_delay_ms=_number(values, "paper_avg_queue_delay_ms"),
        age_seconds=max(0.0, now.timestamp() - stamp),
    )


def _number(values: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(values.get(name, ""))
    except ValueError:
        return None
    return value if isfinite(value) else None


def newest_row(data: Path, bot: str, variant: str) -> tuple[float, dict[str, str]] | None:
    """Return (epoch seconds, values by column) of the newest whole row of the bot's current file."""
    folders = variants(data, bot)
    paths = [folders[variant]] if variant in folders else list(folders.values())
    files = [path / "minute.csv" for path in paths if (path / "minute.csv").is_file()]
    rows = [row for row in map(_last_row, files) if row is not None]
    return max(rows, key=lambda row: row[0], default=None)


def _last_row(path: Path) -> tuple[float, dict[str, str]] | None:
    with path.open("rb") as file:
        header = header_of(clean(file.readline(HEAD).rstrip(b"\n")))
        size = path.stat().st_size
        file.seek(max(0, size - TAIL))
        lines = file.read(TAIL).split(b"\n")[:-1]  # what follows the last newline is still being written
    layouts = Layouts(MINUTE, MINUTE_ALWAYS)
    for line in reversed(lines):
        fields = next(csv.reader([clean(line)]), [])
        columns = layouts.of(header, len(fields))
        if columns is None:
            continue
        try:
            return stamp_of(fields[0]), dict(zip(columns, fields, strict=False))
        except (ValueError, OverflowError):
            continue
    return None
