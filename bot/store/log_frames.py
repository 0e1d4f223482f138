"""Copies a write-ahead log into its database frame by frame, also where one in the middle is damaged.

SQLite believes a log up to the first frame whose checksum is wrong and drops all that comes after it without a word.
A frame's checksum begins with that of the frame before it, which stands there: so each can be looked at by itself.

Layout: https://sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.store.write_ahead_log import checksum, order_of

HEAD_SIZE = 32
_FRAME = struct.Struct(">II8sII")
"""Page, pages of the database after a commit (else 0), salts, checksum; the page follows."""
_PAGE_SIZE = 4096


@dataclass(frozen=True, slots=True)
class LogFrames:
    """What a log holds: frames that can be read, up to the last commit, and how many before it cannot."""

    pages: dict[int, bytes]
    """The newest content of each page."""
    size: int
    """Pages of the database after the last commit; 0 where there is none."""
    lost: int
    commits_after_loss: int
    """Commits behind the first frame that cannot be read; the last of all may be one that nobody was told of."""

    def put_into(self, database: Path, page_size: int) -> None:
        """Write the pages where they belong."""
        with database.open("r+b") as file:
            for number, content in sorted(self.pages.items()):
                file.seek((number - 1) * page_size)
                file.write(content)
            file.flush()
            os.fsync(file.fileno())


def page_size_of(log: bytes) -> int:
    """Return the page size that a log names."""
    size = int.from_bytes(log[8:12], "big")
    return size if 512 <= size <= 65_536 and not size & (size - 1) else _PAGE_SIZE  # noqa: PLR2004 - SQLite's limits


def frames_of(log: bytes) -> LogFrames:
    """Read a log."""
    pages: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    size = lost = commits = waiting_lost = 0
    for number, after, content in _frames(log):
        if not number:
            waiting_lost += 1
            continue
        waiting[number] = content
        if after:
            commits += bool(lost or waiting_lost)
            pages |= waiting
            size, lost = after, lost + waiting_lost
            waiting, waiting_lost = {}, 0
    return LogFrames(pages, size, lost, commits)


def _frames(log: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield page, size after a commit and content of each frame of the log's generation; zeros for one that is damaged."""
    page_size = page_size_of(log)
    step = _FRAME.size + page_size
    order, salts, before = _begin(log, step)
    for at in range(HEAD_SIZE, len(log) - step + 1, step):
        number, after, marks, *ended = _FRAME.unpack_from(log, at)
        content = log[at + _FRAME.size : at + step]
        begun, before = before, (ended[0], ended[1])
        if marks == salts and begun and checksum(order, log[at : at + 8] + content, begun) == before:
            yield number, after, content
        else:
            yield 0, 0, b""


def _begin(log: bytes, step: int) -> tuple[str, bytes, tuple[int, int] | None]:
    """Return the order of bytes in a word, the salts, and the checksum that the first frame's begins with."""
    if order := order_of(log[:HEAD_SIZE]):
        return order, log[16:24], (int.from_bytes(log[24:28], "big"), int.from_bytes(log[28:32], "big"))
    found = Counter(log[at + 8 : at + 16] for at in range(HEAD_SIZE, len(log) - step + 1, step))
    return "<", (found.most_common(1)[0][0] if found else b""), None
