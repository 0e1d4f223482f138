"""Rows of a window out of a folder's files: the current one and those that were rotated away from it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from bot.sources.minute_csv.folders import csv_files, open_csv
from bot.sources.minute_csv.lines import Ending, Skips, read_blocks
from bot.sources.minute_csv.rows import FileRows, RowSpan, clean, header_of
from bot.sources.minute_csv.seek import SMALL, first_byte, overlaps, stamp_of
from triage.errors import DeskFailure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.sources.minute_csv.batches import RowBatch
    from bot.sources.minute_csv.layouts import Columns, Layouts

_LEGACY = re.compile(r"\.legacy_(\d{8}T\d{6})Z")
_AFTER_ROTATION = 48 * 3600.0
"""A writer can go on for hours in a file that was renamed beneath it; its name is trusted after this only."""
_ROUNDS = 5
_HEADER = 8 * 1024


@dataclass(slots=True)
class Scan:
    """Reads the rows of ``start`` to ``end`` (epoch seconds), and keeps account of what it met.

    Lines that are no rows, and rows out of order, are counted from ``report_from`` on: before that lies the
    period that is read for comparison only.
    """

    layouts: Layouts
    start: float
    end: float
    report_from: float
    skips: Skips = field(default_factory=Skips)
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Names of files that are there and could not be opened."""
    out_of_order: int = 0

    def rows(self, folder: Path, stem: str) -> Iterator[tuple[float, tuple[str, ...], Columns]]:
        """Yield what :meth:`batches` does, row by row."""
        for batch in self.batches(folder, stem):
            for stamp, fields in batch.rows():
                yield stamp, fields, batch.columns

    def batches(self, folder: Path, stem: str) -> Iterator[RowBatch]:
        """Yield the rows of ``<stem>.csv`` and its rotated files, the older file first.

        The current file is opened before the rotated ones are listed, and the list is made again at the end:
        a rotation meanwhile moves a file into the list, or leaves a new one, and neither is lost or read twice.
        """
        self._learn(folder, stem)
        seen: set[tuple[int, int]] = set()
        for _ in range(_ROUNDS):
            current = self._open(folder / f"{stem}.csv", seen)
            found = current is not None
            for name in csv_files(folder, f"{stem}.legacy_"):
                legacy = self._open(folder / name, seen)
                if legacy is not None:
                    found = True
                    with legacy:
                        yield from self._file(legacy, name)
            if current is not None:
                with current:
                    yield from self._file(current, f"{stem}.csv")
            if not found:
                return

    def _learn(self, folder: Path, stem: str) -> None:
        """Read all headers first: a writer goes on in the old file for a while, the new header is in the next."""
        for name in csv_files(folder, stem):
            file = self._open(folder / name, set())
            if file is not None:
                with file:
                    self._header(file)

    def _open(self, path: Path, seen: set[tuple[int, int]]) -> BinaryIO | None:
        """Open a file that was not read yet; None for another one, or for one that is gone or refused."""
        try:
            file = open_csv(path.parent, path.name)
        except FileNotFoundError:
            return None
        except (OSError, DeskFailure) as error:
            self.refused.add(path.name)
            note = f"{path.name} could not be read: {error}"
            if note not in self.notes:
                self.notes.append(note)
            return None
        status = os.fstat(file.fileno())
        if (status.st_dev, status.st_ino) in seen:
            file.close()
            return None
        seen.add((status.st_dev, status.st_ino))
        return file

    def _file(self, file: BinaryIO, name: str) -> Iterator[RowBatch]:
        size = os.fstat(file.fileno()).st_size
        header = self._header(file)
        if self._elsewhere(file, name, size):
            return
        self.files.append(name)
        begin = first_byte(file, size, self.start) if size > SMALL else 0
        rows = FileRows(
            name, header, RowSpan(self.start, self.end, self.report_from), self.layouts, self.skips
        )
        yield from rows.read(file, begin, size)
        self.out_of_order += rows.out_of_order
        if os.fstat(file.fileno()).st_size < size:
            self.notes.append(f"{name} got shorter while it was read")

    def _elsewhere(self, file: BinaryIO, name: str, size: int) -> bool:
        """Return whether the file cannot hold rows of the window; a small recent one is simply read."""
        stamp = _LEGACY.search(name)
        rotated = stamp_of(stamp[1] + "Z") if stamp else self.end
        if size <= SMALL and rotated > self.start - _AFTER_ROTATION:
            return False
        return not overlaps(file, size, self.start, self.end)

    def _header(self, file: BinaryIO) -> Columns:
        """Return the file's header, empty where it has none."""
        _, block, ending = next(read_blocks(file, 0, _HEADER), (0, b"", Ending.FILE))
        header = header_of(clean(block.partition(b"\n")[0])) if ending is Ending.NEWLINE else ()
        if header:
            self.layouts.learn(header)
        return header
