"""Finding a window in a file without reading the file: rows are in the order of time, but for a few.

So the first byte of a window is found by bisection. Each probe takes the median of several rows, so that a
stray row does not send it the wrong way, and MARGIN is read on both sides for rows that were written late.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

MARGIN = 6 * 3600.0
"""Seconds: a row that stands farther than this from its place in time may be missed in a large file."""
SMALL = 64 * 1024
"""A file of this size is read whole: bisection would save nothing."""
_PROBE = 8 * 1024
_ENOUGH = 64 * 1024


def stamp_of(text: str) -> float:
    """Return epoch seconds of an ISO 8601 time; one without an offset is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def stamps_in(file: BinaryIO, start: int, length: int) -> list[float]:
    """Return the times of the rows that begin in a range of bytes (a row cut at its edges is left out)."""
    file.seek(start)
    lines = file.read(length).split(b"\n")
    found: list[float] = []
    for line in lines[1 if start else 0 : -1]:
        text = line.lstrip(b"\0")[:40].split(b",", 1)[0]
        try:
            found.append(stamp_of(text.decode("ascii")))
        except ValueError:
            continue
    return found


def overlaps(file: BinaryIO, size: int, start: float, end: float) -> bool:
    """Return whether a file can hold rows of a window, from its first and last rows; True where they tell nothing."""
    tail = stamps_in(file, max(0, size - _PROBE), _PROBE)
    if tail and max(tail) < start - MARGIN:
        return False
    head = stamps_in(file, 0, _PROBE)
    return not head or min(head) <= end + MARGIN


def first_byte(file: BinaryIO, size: int, start: float) -> int:
    """Return an offset from which on every row of a window that begins at ``start`` can be read.

    0, or somewhere inside a line: the reader leaves out what comes before the next newline.
    """
    low, high, target = 0, size, start - MARGIN
    while high - low > _ENOUGH:
        middle = (low + high) // 2
        found = _median(file, middle, high)
        if found is None or found >= target:
            high = middle
        else:
            low = middle
    return low


def _median(file: BinaryIO, start: int, stop: int) -> float | None:
    """Return the median time of the rows that follow ``start``; None where only garbage does."""
    while start < stop:
        found = sorted(stamps_in(file, start, _PROBE))
        if found:
            return found[len(found) // 2]
        start += _PROBE
    return None
