"""The rows of one file: each line a time, its fields and the columns they are of, or a reason why not."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bot.sources.minute_csv.batches import Plain, RowBatch, batches_of
from bot.sources.minute_csv.lines import Block, Ending, Skips, lines_of, read_blocks
from bot.sources.minute_csv.seek import MARGIN, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sources.minute_csv.batches import Row
    from bot.sources.minute_csv.layouts import Columns, Layouts

_PAST = 240
"""So many rows in a row beyond the window end the reading: one alone is a clock that jumped."""


@dataclass(frozen=True, slots=True)
class RowSpan:
    """The seconds (epoch) whose rows are wanted, and from when on oddities are reported."""

    start: float
    end: float
    report_from: float


def clean(line: bytes) -> str:
    """Return a line as text, without what a crash or another system left around it (NUL, BOM, CR)."""
    return line.decode("utf-8", "replace").lstrip("\0\ufeff").rstrip("\r\0")


def header_of(text: str) -> Columns:
    """Return the columns a header line names; empty where it is none."""
    return tuple(name.strip() for name in fields_of(text)) if text.startswith("ts,") else ()


def fields_of(text: str) -> list[str]:
    """Return a line's fields. Where it has quotes, a carriage return within is a space: ``csv`` refuses it."""
    return next(csv.reader([text.replace("\r", " ")])) if '"' in text else text.split(",")


class FileRows:
    """Reads the rows of one file; ``out_of_order`` counts those that came after a later one."""

    __slots__ = (
        "_header",
        "_last",
        "_layouts",
        "_length",
        "_name",
        "_past",
        "_skips",
        "_span",
        "out_of_order",
    )

    def __init__(self, name: str, header: Columns, span: RowSpan, layouts: Layouts, skips: Skips) -> None:
        self.out_of_order = 0
        self._name = name
        self._header = header
        self._span = span
        self._layouts = layouts
        self._skips = skips
        self._length = 0
        self._last: float | None = None
        self._past = 0

    def read(self, file: BinaryIO, begin: int, stop: int) -> Iterator[RowBatch]:
        """Yield the span's rows between two bytes; ``begin`` may be inside a line, which is then left out."""
        for offset, block, ending in _first_line_apart(read_blocks(file, begin, stop)):
            if offset == begin > 0:
                continue
            batch = self._together(block) if ending is Ending.NEWLINE else None
            if batch is not None:
                if batch.stamps:
                    yield batch
                continue
            yield from batches_of(self._closely(offset, block, ending))
            if self._past > _PAST:
                return

    def _together(self, block: bytes) -> RowBatch | None:
        """Return the rows of a block whose lines are all plain rows of one layout, in order; None for another."""
        plain = Plain.of(block)
        if plain is None or plain.stamps[-1] > self._span.end:
            return None
        if self._last is not None and plain.stamps[0] < self._last:
            return None
        columns = self._header
        if plain.width != len(self._header):
            columns = self._layouts.of(self._header, plain.width) or ()
            if not columns or any(map(_row_behind, block.decode("ascii").split("\n"))):
                return None
        stamps, fields = plain.between(self._span.start, self._span.end)
        if stamps:
            self._length = plain.width
        self._last = plain.stamps[-1]
        return RowBatch(stamps, fields, plain.width, columns)

    def _closely(self, first: int, block: bytes, kind: Ending) -> Iterator[Row]:
        """Yield the span's rows of any block, line by line."""
        start, end = self._span.start, self._span.end
        for offset, line, ending in lines_of(first, block, kind):
            text = clean(line)
            try:
                stamp = stamp_of(text[: text.find(",")])
            except (ValueError, OverflowError):
                self._no_row(text, line, ending, offset)
                continue
            if self._last is None or stamp < self._last or stamp > end:
                self._disorder(stamp)
                if self._past > _PAST:
                    return
            self._last = stamp
            if start <= stamp < end and (row := self._row(text, ending, offset)) is not None:
                yield row

    def _no_row(self, text: str, line: bytes, ending: Ending, offset: int) -> None:
        """Take a header that stands in the middle of a file; count everything else."""
        header = header_of(text)
        if header:
            self._header = header
            self._layouts.learn(header)
        elif line.strip() and (
            self._last is None or self._span.report_from - 60 <= self._last < self._span.end
        ):
            self._skips.add(_why_not(line, ending), self._name, offset)

    def _disorder(self, stamp: float) -> None:
        """Take note of a row that is not later than the last, or later than the span."""
        span = self._span
        if self._last is not None and stamp < self._last and span.report_from <= stamp < span.end:
            self.out_of_order += 1
        self._past = self._past + 1 if stamp > span.end + MARGIN else 0

    def _row(self, text: str, ending: Ending, offset: int) -> Row | None:
        """Return a line of the span as a row; None, and counted, where it is none.

        A line without its newline may be half written: it counts where it has as many fields as the row
        before, all but its last field, which may go on.
        """
        fields = fields_of(text)
        if ending is Ending.TOO_LONG or (ending is Ending.FILE and len(fields) != self._length):
            self._skips.add(_why_not(text.encode(), ending), self._name, offset)
            return None
        behind = "" if len(fields) == len(self._header) else _row_behind(text)
        if behind:
            self._skips.add("row cut off by the next one", self._name, offset)
            fields = fields_of(behind)
        self._length = len(fields)
        columns = self._layouts.of(self._header, len(fields))
        if columns is None:
            self._skips.add("too few columns", self._name, offset)
            return None
        if ending is Ending.FILE:
            fields[-1] = ""
        return stamp_of(fields[0]), fields, columns


def _first_line_apart(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield blocks, the first line as one of its own: it is the file's header, or the end of a line."""
    for offset, block, ending in blocks:
        line, newline, rest = block.partition(b"\n")
        yield offset, line, ending
        if newline:
            yield offset + len(line) + 1, rest, ending
        break
    yield from blocks


def _row_behind(text: str) -> str:
    """Return the row that was written on behind another one, which a crash had cut off; empty if there is none."""
    again = text.find(text[:5], 5)
    if again < 0:
        return ""
    try:
        stamp_of(text[again:].partition(",")[0])
    except ValueError:
        return ""
    return text[again:]


def _why_not(line: bytes, ending: Ending) -> str:
    if ending is Ending.TOO_LONG:
        return "line without an end"
    if not line.strip(b"\0\r"):
        return "NUL bytes"
    return "half written last line" if ending is Ending.FILE else "no timestamp"
