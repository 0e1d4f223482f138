"""Whether SQLite's write-ahead log is on the disk what SQLite believes it to be.

SQLite knows the log by an index in shared memory (``-shm``) and appends to it unread: one that was emptied, removed or
replaced beneath us takes commits as ever, and the next start finds none of them. While we hold SQLite's write lock
neither file changes, whoever else reads, writes or checkpoints: what the index says must be there must be there.

Layouts: https://sqlite.org/walformat.html and https://sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

_INDEX = struct.Struct("=I8xBxHI4x2I8s8x")
"""The index's head: version, whether it is set up, page size, last frame and its checksum, salts. It stands there twice."""
_VERSION = 3_007_000
_MAGIC = 0x377F_0682
_HEAD = struct.Struct(">6I2I")
"""The log's head, ended by a checksum; two of its words are the salts, new each time when the log begins anew."""
_SALTS = slice(16, 24)
_FRAME = struct.Struct(">8x8s2I")
"""A frame's head: salts and checksum; the page follows."""
_SHARED_FIRST, _SHARED_SIZE = 0x4000_0002, 510
"""The bytes of the database that SQLite locks to be the only one who has it open."""

_RESTART = "stop the service, without a kill, and start it"
_LOST = "what it took since the log was last copied into the database may be lost"
_KEPT = "nothing is lost then"


class WriteAheadLog:
    """Looks at the log of one connection, the writer's. Knows nothing where there is none, or of another version."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(f"{database.name}-wal")
        self._driver: object = None
        self._known = (-1, -1)
        self._index = -1
        self._head = b""
        self.changed = False
        """Whether what SQLite has open, and would copy into the database, is not what it has written."""

    def problem(self, connection: sa.Connection) -> str:
        """Say how the log differs from what SQLite has written; empty where it does not. Within a begun write only."""
        driver = connection.connection.driver_connection
        try:
            if driver is not self._driver:
                self._look_anew()
                self._driver = driver
            return self._compared() if self._index >= 0 else ""
        except FileNotFoundError:
            return f"the database's log {self._path} is gone; {_RESTART}: {_KEPT}"
        except OSError as error:
            return f"the database's log {self._path} cannot be read: {error.strerror}; {_RESTART}"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Have SQLite close the database without copying the log into it: what is damaged would be copied too.

        A lock of the open file, not of the process, holds against SQLite's own.
        """
        file = os.open(self._database, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without such locks
                lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
                fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
            yield
        finally:
            os.close(file)

    def close(self) -> None:
        """Let go of the index; after SQLite did, whose locks on it end when anything of this process closes it."""
        if self._index >= 0:
            os.close(self._index)
        self._driver, self._index = None, -1

    def let_go(self) -> None:
        """Close the index where SQLite has removed it with its last connection: on a full disk its room is needed."""
        if self._index >= 0 and not os.fstat(self._index).st_nlink:
            self.close()

    def _look_anew(self) -> None:
        """Note what a new connection has just opened: both files are others where it was the only connection.

        The log is not kept open: where SQLite removes it its room would not be given back.
        """
        self.let_go()
        with suppress(FileNotFoundError):  # a file system where SQLite can have no log
            if self._index < 0:
                self._index = os.open(self._path.with_name(f"{self._database.name}-shm"), os.O_RDONLY)
            there = self._path.stat()
            self._known = (there.st_dev, there.st_ino)

    def _compared(self) -> str:
        log = os.open(self._path, os.O_RDONLY)
        try:
            there = os.fstat(log)
            if (there.st_dev, there.st_ino) != self._known:
                return f"{self._path} is not the database's log any more; {_RESTART}: {_KEPT}"
            self.changed = not self._as_written(log)
        finally:
            os.close(log)
        return (
            f"the database's log {self._path} was changed by something else; {_RESTART}: {_LOST}"
            if self.changed
            else ""
        )

    def _as_written(self, log: int) -> bool:
        index = os.pread(self._index, 2 * _INDEX.size, 0)
        if len(index) < 2 * _INDEX.size or index[: _INDEX.size] != index[_INDEX.size :]:
            return True  # being mended by SQLite
        version, ready, page, frames, *checksum, salts = _INDEX.unpack_from(index)
        if version != _VERSION or not ready or not frames:
            return True
        head = os.pread(log, _HEAD.size, 0)
        if head != self._head:
            if head[_SALTS] != salts or not order_of(head):
                return False
            self._head = head
        last = _HEAD.size + (frames - 1) * (_FRAME.size + (page if page > 1 else 65_536))
        frame = os.pread(log, _FRAME.size, last)
        return len(frame) == _FRAME.size and _FRAME.unpack(frame) == (salts, *checksum)


def checksum(order: str, content: bytes, begun: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return the log's checksum over words in an order of bytes (``<`` or ``>``), continued from the one before."""
    one, two = begun
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for a, b in zip(words[::2], words[1::2], strict=True):
        one = (one + a + two) & 0xFFFF_FFFF
        two = (two + b + one) & 0xFFFF_FFFF
    return one, two


def order_of(head: bytes) -> str:
    """Return the order of bytes of the machine that wrote the log; empty where the head's own checksum is wrong."""
    if len(head) < _HEAD.size:
        return ""
    magic, *_, first, second = _HEAD.unpack_from(head)
    order = ">" if magic & 1 else "<"
    return order if magic & ~1 == _MAGIC and checksum(order, head[:24]) == (first, second) else ""
