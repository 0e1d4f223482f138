"""The jobs of a process that draws, and of its forks: each takes the next one when it is free.

They share one standard input, so a job is sent with its length ahead, and one of them at a time reads exactly that.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.sources.minute_csv.child_protocol import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAKING, _ANSWERING = 0, 1
"""Which byte of the file of locks is held for what. The kernel frees those of a process that dies."""


class SharedJobs:
    """Standard input and output of some processes, all forked after this was made."""

    def __init__(self) -> None:
        self._locks = os.memfd_create("locks")

    def take(self) -> bytes | None:
        """Return the next job, None where no more come. Raises EOFError for one that is cut off."""
        with self._alone(_TAKING):
            head = _read(HEAD)
            return _read(int(head, 16)) if head else None

    def answer(self, line: str) -> None:
        """Write one line of the answer."""
        with self._alone(_ANSWERING):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    @contextmanager
    def _alone(self, what: int) -> Iterator[None]:
        fcntl.lockf(self._locks, fcntl.LOCK_EX, 1, what)
        try:
            yield
        finally:
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, what)


def _read(length: int) -> bytes:
    """Return exactly so many bytes of standard input, which nobody else may have read ahead; none at its end."""
    found = b""
    while len(found) < length:
        part = os.read(sys.stdin.fileno(), length - len(found))
        if not part and found:
            raise EOFError("a job was cut off")
        if not part:
            return b""
        found += part
    return found
