"""Ends transactions that hang because the database server is frozen.

The server's own limits do not hold when the server itself is frozen, and the kernel still acknowledges what is sent.
So a connection whose transaction is past its time has its socket shut down; the driver then raises.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread

import sqlalchemy as sa

LOOK_SECONDS = 0.5


class Deadlines:
    """Watches transactions from a thread of its own, which exists while something is watched."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        """By the number of the socket, when its transaction must be over (monotonic)."""
        self._changed = Condition()
        self._thread: Thread | None = None

    @contextmanager
    def limit(self, connection: sa.Connection, seconds: float) -> Iterator[None]:
        """Give what is done on a connection so many seconds. SQLite's own limits hold: nothing is watched there."""
        if connection.dialect.name != "postgresql":
            yield
            return
        number = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with self._changed:
            self._ends[number] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = Thread(target=self._watch, name="store-deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:  # held while a socket is shut: its number cannot be another one's by then
                self._ends.pop(number, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                for number in [number for number, end in self._ends.items() if end <= now]:
                    del self._ends[number]
                    _shut(number)
                if not self._ends:
                    self._thread = None
                    return
                self._changed.wait(LOOK_SECONDS)


def _shut(number: int) -> None:
    try:
        with socket.socket(fileno=os.dup(number)) as copy:
            copy.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already, which is what is wanted
