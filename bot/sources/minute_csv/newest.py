"""The newest minute of a bot: its last whole row, with the columns it really has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, RawIOBase
from math import isfinite
from pathlib import Path
from typing import cast

from bot.sources.minute_csv.folders import csv_files, open_csv, variants
from bot.sources.minute_csv.layouts import MINUTE, MINUTE_ALWAYS, Layouts
from bot.sources.minute_csv.rows import clean, fields_of, header_of
from bot.sources.minute_csv.seek import stamp_of
from bot.watched_reads import FOLDERS
from triage.errors import DeskFailure, SourceBadAnswer, SourceUnreachable
from triage.outside_numbers import real
from triage.ports.checklists import PaperDiagnostics
from triage.ports.clock import Clock
from triage.ports.minutes import NewestMinute

SOURCE = "minute.csv"
HEAD, TAIL = 8 * 1024, 64 * 1024
AHEAD = 300.0
"""Seconds: a row that is stamped later than so much after now is no minute that was, whatever wrote it."""


class NewestMinutes:
    """Implements ``triage.ports.checklists.PaperFigures`` and ``triage.ports.minutes.Minutes`` for ``data``."""

    def __init__(self, data: Path, clock: Clock, configured: Mapping[str, str]) -> None:
        self._data = data
        self._clock = clock
        self._configured = configured

    async def newest(self, bot: str) -> PaperDiagnostics | None:
        """Return the newest minute's figures; None where the bot wrote no minute. Raises SourceError."""
        row = await self._row(bot)
        return None if row is None else diagnostics(*row, self._clock.now())

    async def minute(self, bot: str) -> NewestMinute | None:
        """Return the newest minute itself; None where the bot wrote no minute. Raises SourceError."""
        row = await self._row(bot)
        return None if row is None else minute_of(*row)

    async def _row(self, bot: str) -> tuple[float, dict[str, str]] | None:
        until = self._clock.now().timestamp() + AHEAD
        try:
            return await FOLDERS.read(
                lambda: newest_row(self._data, bot, self._configured.get(bot, ""), until),
                f"{SOURCE} of {bot}",
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
        value = real(values.get(name, "").strip())
    except ValueError:
        return None
    return value if isfinite(value) else None


def newest_row(data: Path, bot: str, variant: str, until: float) -> tuple[float, dict[str, str]] | None:
    """Return (epoch seconds, values by column) of the bot's newest whole row that is not later than ``until``.

    Raises SourceBadAnswer where rows were written and none of them can be read, or all of them are later.
    """
    folders = variants(data, bot)
    paths = [folders[variant]] if variant in folders else list(folders.values())
    tails = [_tail(path, until) for path in paths]
    rows = [tail.row for tail in tails if tail.row is not None]
    if not rows and (troubles := [tail.trouble for tail in tails if tail.trouble]):
        raise SourceBadAnswer(SOURCE, f"{bot}: {troubles[0]}")
    return max(rows, key=lambda row: row[0], default=None)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The newest row of a variant, or why none of those that were written is it."""

    row: tuple[float, dict[str, str]] | None = None
    trouble: str = ""


def _tail(folder: Path, until: float) -> _Tail:
    """Look into the current file; where it has no row yet, into the one that was rotated away last."""
    found = _tail_of(folder, "minute.csv", until)
    if found.row is None and not found.trouble and (rotated := csv_files(folder, "minute.legacy_")):
        return _tail_of(folder, rotated[-1], until)
    return found


def _tail_of(folder: Path, name: str, until: float) -> _Tail:
    try:
        opened = open_csv(folder, name)
    except FileNotFoundError:
        return _Tail()
    with BufferedReader(cast("RawIOBase", opened)) as file:
        header = header_of(clean(file.readline(HEAD).rstrip(b"\n")))
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - TAIL))
        lines = file.read(TAIL).split(b"\n")[:-1]  # what follows the last newline is still being written
    layouts = Layouts(MINUTE, MINUTE_ALWAYS)
    trouble = f"{name} ends without a line" if size > TAIL and not lines else ""
    for text in map(clean, reversed(lines)):
        if not text.strip() or header_of(text):
            continue
        fields = fields_of(text)
        columns = layouts.of(header, len(fields))
        stamp = _stamp(fields[0])
        if columns is None or stamp is None:
            trouble = trouble or f"none of the last rows of {name} can be read"
        elif stamp > until:
            trouble = f"the last rows of {name} are stamped later than now"
        else:
            return _Tail((stamp, dict(zip(columns, fields, strict=False))))
    return _Tail(trouble=trouble)


def _stamp(text: str) -> float | None:
    try:
        return stamp_of(text)
    except (ValueError, OverflowError):
        return None
