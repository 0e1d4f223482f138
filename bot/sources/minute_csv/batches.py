"""Rows by the hundred: the lines of a block that are all as they should be are taken apart together.

Nearly all of a month's rows are such, and together they cost half of what they cost one by one. What is odd in
any way is left to ``rows``, which looks at every line closely; both give the same rows.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from bot.sources.minute_csv.seek import stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sources.minute_csv.layouts import Columns

Row = tuple[float, list[str], "Columns"]
"""Epoch seconds, the fields, and the columns they are of (which may be fewer)."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows of one layout, in the order of the file: epoch seconds and fields of each."""

    stamps: list[float]
    rows: list[list[str]]
    columns: Columns


def batches_of(rows: Iterable[Row]) -> Iterator[RowBatch]:
    """Yield rows as batches, in their order."""
    for columns, group in groupby(rows, key=itemgetter(2)):
        together = list(group)
        yield RowBatch([row[0] for row in together], [row[1] for row in together], columns)


@dataclass(frozen=True, slots=True)
class Plain:
    """The lines of a block that is ASCII without quotes or control characters, their times in order."""

    lines: list[str]
    stamps: list[float]

    @classmethod
    def of(cls, block: bytes) -> Plain | None:
        """Return the lines of a block; None where one of them has to be looked at closely."""
        if not block.isascii() or any(mark in block for mark in (b'"', b"\r", b"\0")):
            return None
        lines = block.decode("ascii").split("\n")
        try:
            stamps = [stamp_of(line[: line.find(",")]) for line in lines]
        except (ValueError, OverflowError):
            return None
        return cls(lines, stamps) if stamps == sorted(stamps) else None

    def fields(self, start: float, end: float) -> tuple[list[float], list[list[str]]] | None:
        """Return times and fields of the rows from ``start`` to before ``end``; None where their lengths differ."""
        here = slice(bisect_left(self.stamps, start), bisect_left(self.stamps, end))
        rows = [line.split(",") for line in self.lines[here]]
        return (self.stamps[here], rows) if len(set(map(len, rows))) <= 1 else None
