"""Sends an answer's header and body in one piece: uvicorn writes them one after the other, and each write is a system call.

Two of them take the service longer than to parse the webhook, and the client reads twice.
"""

from __future__ import annotations

import asyncio
from typing import Any


class JoinedWrites:
    """A transport that keeps a first write until the second, or until its loop goes on; else it is the inner one."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop
        self._kept = b""
        self.is_closing = inner.is_closing  # asked several times a request

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        """Return what the inner transport has."""
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        """Send what was kept with this, or keep it: the loop sends it when nothing follows at once."""
        kept = self._kept
        if kept:
            self._kept = b""
            self._inner.write(kept + data)
        else:
            self._kept = data
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        kept, self._kept = self._kept, b""
        if kept and not self.is_closing():
            self._inner.write(kept)

    def write_eof(self) -> None:
        """Send what is kept, and say that nothing more will come."""
        self._send()
        self._inner.write_eof()

    def close(self) -> None:
        """Send what is kept, and close."""
        self._send()
        self._inner.close()
