"""Lines of a file that is being written, may hold NUL bytes, and may never end a line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO

from triage.kpis.model import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 128 * 1024
MAX_LINE = 32 * 1024
"""A row has a few hundred bytes; whatever is longer is no row, and is not kept in memory to find out."""


class Ending(Enum):
    """How a line ended: with a newline, with the file (it may be half written), or not within MAX_LINE."""

    NEWLINE = 0
    FILE = 1
    TOO_LONG = 2


Block = tuple[int, bytes, Ending]
"""Offset in the file, one line or several without the last newline, and how each of them ended."""


def read_blocks(file: BinaryIO, start: int, stop: int) -> Iterator[Block]:
    """Yield the lines of the bytes ``start`` to ``stop``.

    A block is as many whole lines as a chunk had; a line that ended otherwise is a block of its own. Holds one
    chunk and one line. Ends early where the file got shorter meanwhile.
    """
    file.seek(start)
    offset, position, carry, dropped = start, start, b"", 0
    while position < stop and (chunk := file.read(min(CHUNK, stop - position))):
        position += len(chunk)
        lines, newline, carry = (carry + chunk).rpartition(b"\n")
        if newline and dropped:
            end, more, lines = lines.partition(b"\n")
            yield offset, end, Ending.TOO_LONG
            offset, dropped, newline = offset + dropped + len(end) + 1, 0, more
        if newline:
            yield offset, lines, Ending.NEWLINE
            offset += len(lines) + 1
        if len(carry) > MAX_LINE:
            kept = carry.strip(b"\0")[-1:] if not carry.strip(b"\0") else carry[-MAX_LINE:]
            dropped += len(carry) - len(kept)
            carry = kept
    if carry or dropped:
        yield offset, carry, Ending.TOO_LONG if dropped else Ending.FILE


def lines_of(offset: int, block: bytes, ending: Ending) -> Iterator[Block]:
    """Yield the lines of a block, each with its offset."""
    for line in block.split(b"\n"):
        yield offset, line, ending
        offset += len(line) + 1


@dataclass(slots=True)
class Skips:
    """Counts lines that could not be used, by reason, and remembers where the first one was."""

    _found: dict[str, list[int]] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, name: str, offset: int) -> None:
        """Count one line of the file ``name``."""
        if reason not in self._found:
            self._found[reason] = [0]
            self._first[reason] = f"{name} at byte {offset}"
        self._found[reason][0] += 1

    def result(self) -> tuple[Skipped, ...]:
        """Return what was skipped, the most frequent reason first."""
        skipped = [Skipped(reason, count[0], self._first[reason]) for reason, count in self._found.items()]
        return tuple(sorted(skipped, key=lambda entry: -entry.count))
