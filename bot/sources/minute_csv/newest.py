"""The newest minute of a bot: its last whole row, with the columns it really has."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from math import isfinite
from pathlib import Path
from typing import cast

from bot.sources.minute_csv.folders import open_csv, variants
from bot.sources.minute_csv.layouts import MINUTE, MINUTE_ALWAYS, Layouts
from bot.sources.minute_csv.rows import clean, header_of
from bot.sources.minute_csv.seek import stamp_of
from bot.watched_reads import FOLDERS
from triage.errors import DeskFailure, SourceUnreachable
from triage.ports.checklists import PaperDiagnostics
from triage.ports.clock import Clock
from triage.ports.minutes import NewestMinute

SOURCE = "minute.csv"
HEAD, TAIL = 8 * 1024, 64 * 1024


class NewestMinutes:
    """Implements ``triage.ports.checklists.PaperFigures`` and ``triage.ports.minutes.Minutes`` for ``data``."""

    def __init__(self, data: Path, clock: Clock, configured: Mapping[str, str]) -> None:
        self._data = data
        self._clock = clock
        self._configured = configured

    async def newest(self, bot: str) -> PaperDiagnostics | None:
        """Return the newest minute's figures; None where the bot wrote no minute. Raises SourceUnreachable."""
        row = await self._row(bot)
        return None if row is None else diagnostics(*row, self._clock.now())

    async def minute(self, bot: str) -> NewestMinute | None:
        """Return the newest minute itself; None where the bot wrote no minute. Raises SourceUnreachable."""
        row = await self._row(bot)
        return None if row is None else minute_of(*row)

    async def _row(self, bot: str) -> tuple[float, dict[str, str]] | None:
        try:
            return await FOLDERS.read(
                lambda: newest_row(self._data, bot, self._configured.get(bot, "")), f"{SOURCE} of {bot}"
            )
        except DeskFailure as error:
            raise SourceUnreachable(SOURCE, str(error)) from error
        except OSError as error:
            raise SourceUnreachable(SOURCE, f"{error.filename} cannot be read ({error.strerror})") from error


def diagnostics(stamp: float, values: Mapping[str, str], now: datetime) -> PaperDiagnostics:
    """Return the paper figures of a row; what is no number counts as missing."""
    return PaperDiagnostics(
        fills=_number(values, "paper_fill_count"),
        rejects=_number(values, "paper_reject_count"),
        queue_delay_ms=_number(values, "paper_avg_queue_delay_ms"),
        age_seconds=max(0.0, now.timestamp() - stamp),
        regime=values.get("regime", "").strip(),
        spread=_number(values, "spread_pct"),
    )


def minute_of(stamp: float, values: Mapping[str, str]) -> NewestMinute:
    """Return what a row says of its bot."""
    return NewestMinute(
        at=datetime.fromtimestamp(stamp, UTC),
        state=values.get("state", "").strip(),
        reasons=tuple(sorted({*values.get("risk_reasons", "").split("|")} - {"", "none", "unknown"})),
        orders=_number(values, "orders_active"),
        daily_loss=_number(values, "daily_loss_pct"),
        base=_number(values, "base_pct"),
        pair=values.get("trading_pair", ""),
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
    rows = [row for path in paths if (row := _last_row(path)) is not None]
    return max(rows, key=lambda row: row[0], default=None)


def _last_row(folder: Path) -> tuple[float, dict[str, str]] | None:
    try:
        opened = open_csv(folder, "minute.csv")
    except FileNotFoundError:
        return None
    with BufferedReader(cast("RawIOBase", opened)) as file:
        header = header_of(clean(file.readline(HEAD).rstrip(b"\n")))
        size = os.fstat(file.fileno()).st_size
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
