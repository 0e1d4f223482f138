"""Patches into fakeredis what it lacks.

The command INFO; to wait in an XREADGROUP that has BLOCK and COUNT; to wait for a client that reads slowly.
"""

from __future__ import annotations

import io
import select
import socket
import time
from typing import Any

from fakeredis._clients._tcp_server import TCPFakeRequestHandler
from fakeredis._commands import SUPPORTED_COMMANDS, command
from fakeredis.commands_mixins.server_mixin import ServerCommandsMixin
from fakeredis.commands_mixins.streams_mixin import StreamsCommandsMixin

EMPTY_BYTES, ENTRY_BYTES = 900_000, 620
"""About what an empty Redis 7 takes, and what one entry of the desk's streams adds."""
STARTED = time.time()
READS_WITHIN = 20.0
"""Seconds that a client may take to make room for more of an answer."""


def _info(self: Any, *sections: bytes) -> bytes:  # noqa: ANN401 - fakeredis' own socket, which has no public type
    """Describe the server as INFO does: every section, whichever are asked for."""
    del sections
    keys = [item for db in self._server.dbs.values() for item in db.values()]
    entries = sum(len(item.value) for item in keys if hasattr(item.value, "__len__"))
    facts = {
        "redis_version": "7.2.0",
        "redis_mode": "standalone",
        "uptime_in_seconds": int(time.time() - STARTED),
        "connected_clients": 1,
        "used_memory": EMPTY_BYTES + ENTRY_BYTES * entries,
        "maxmemory": 0,
        "maxmemory_policy": "noeviction",
        "loading": 0,
        "rdb_last_bgsave_status": "ok",
        "aof_enabled": 1,
        "aof_last_write_status": "ok",
        "evicted_keys": 0,
        "role": "master",
        "connected_slaves": 0,
    }
    return "".join(f"{name}:{value}\r\n" for name, value in facts.items()).encode()


def patch_fakeredis() -> None:
    """Add INFO and the waiting XREADGROUP, once; a fakeredis that knows INFO by itself keeps its own."""
    if "info" not in SUPPORTED_COMMANDS:
        command(name="INFO", fixed=(), repeat=(bytes,))(_info)
        ServerCommandsMixin._info = _info  # type: ignore[attr-defined]  # noqa: SLF001 - where fakeredis looks for it
    if StreamsCommandsMixin._xreadgroup is not _read_or_none:  # noqa: SLF001 - as above
        StreamsCommandsMixin._xreadgroup = _read_or_none  # type: ignore[assignment,method-assign]  # noqa: SLF001 - as above


_read = StreamsCommandsMixin._xreadgroup  # noqa: SLF001 - as above


def _read_or_none(*arguments: Any) -> dict[bytes, Any] | None:  # noqa: ANN401 - as fakeredis calls it
    """Read a group; nothing there is None, which fakeredis waits upon, and not an empty answer."""
    return _read(*arguments) or None


class WaitingHandler(TCPFakeRequestHandler):
    """Serves one client. fakeredis sets its sockets not to block, and gives up on an answer that does not fit."""

    def setup(self) -> None:
        """Replace the writer, which fails, by one that waits."""
        super().setup()
        self.writer.writer = _WaitingWriter(self.connection)


class _WaitingWriter(io.BufferedIOBase):
    """Writes all of it, waiting whenever the socket is full. Raises ConnectionError when the client is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer, as io has it
        """Send everything."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._connection.send(left) :]
            except BlockingIOError:
                _, ready, _ = select.select([], [self._connection], [], READS_WITHIN)
                if not ready:
                    raise ConnectionResetError("the client does not read") from None
        return len(data)
