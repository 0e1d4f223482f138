"""Rows by the hundred: the lines of a block that are all as they should be are taken apart together.

Nearly all of a month's rows are such, and together they cost a third of what they cost one by one. What is odd in
any way is left to ``rows``, which looks at every line closely; both give the same rows.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sources.minute_csv.layouts import Columns

_OFFSET = attrgetter("tzinfo")

Row = tuple[float, list[str], "Columns"]
"""Epoch seconds, the fields, and the columns they are of (which may be fewer)."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows of one layout, in the order of the file: the epoch seconds of each, and the fields of all.

    ``fields`` has ``width`` fields of the first row, then those of the second, and so on.
    """

    stamps: list[float]
    fields: list[str]
    width: int
    columns: Columns

    def column(self, place: int) -> list[str]:
        """Return a field of each row."""
        return self.fields[place :: self.width]

    def rows(self) -> Iterator[tuple[float, tuple[str, ...]]]:
        """Yield each row as (epoch seconds, fields)."""
        return zip(self.stamps, zip(*[iter(self.fields)] * self.width, strict=True), strict=True)


def batches_of(rows: Iterable[Row]) -> Iterator[RowBatch]:
    """Yield rows as batches, in their order; a batch has no field that is of no column."""
    for columns, group in groupby(rows, key=itemgetter(2)):
        together, width = list(group), len(columns)
        fields = [field for row in together for field in islice(row[1], width)]
        yield RowBatch([row[0] for row in together], fields, width, columns)


@dataclass(frozen=True, slots=True)
class Plain:
    """The rows of a block that is ASCII without quotes or control characters, all of one length, in order of time."""

    stamps: list[float]
    width: int
    _fields: list[str]

    @classmethod
    def of(cls, block: bytes) -> Plain | None:
        """Return the rows of a block; None where one of them has to be looked at closely."""
        if not block.isascii() or any(mark in block for mark in (b'"', b"\r", b"\0")):
            return None
        text = block.decode("ascii")
        width = text.partition("\n")[0].count(",") + 1
        fields = text.replace("\n", ",\n").split(",")
        starts = "".join(fields[::width]).split("\n")
        if len(starts) != text.count("\n") + 1 or len(fields) != width * len(starts):
            return None  # a line is longer or shorter than the first
        try:
            times = list(map(datetime.fromisoformat, starts))
            if None in map(_OFFSET, times):
                return None
            stamps = list(map(datetime.timestamp, times))
        except (ValueError, OverflowError):
            return None
        return cls(stamps, width, fields) if stamps == sorted(stamps) else None

    def between(self, start: float, end: float) -> tuple[list[float], list[str]]:
        """Return times and fields of the rows from ``start`` to before ``end``."""
        first, last = bisect_left(self.stamps, start), bisect_left(self.stamps, end)
        if last - first == len(self.stamps):
            return self.stamps, self._fields
        return self.stamps[first:last], self._fields[first * self.width : last * self.width]
