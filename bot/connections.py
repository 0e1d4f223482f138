"""Who may hold a connection to our port, and for how long: idle and excess connections must not keep webhooks out.

::

    a connection that sends no whole header within ``HEADER_SECONDS``, or no whole body within ``BODY_SECONDS``, is closed
    what goes on sending a body that is answered already is not read any more after ``UNWANTED_MAX`` bytes, and closed
    ``CONNECTIONS_MAX`` at once; one more takes the place of the one that has been silent the longest
    who once sent a request with the token keeps its place; ``RESERVE`` more places are for such alone
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CONNECTIONS_MAX = 400
RESERVE = 100
HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
HEADER_MAX = 64 * 1024
"""Bytes of a request's header."""
UNWANTED_MAX = 64 * 1024
"""Bytes of a body after its answer (a refusal) that are read and dropped, so that the connection can be used again."""
UNWANTED_SECONDS = 1.0
"""How long such a body may take to end, and then how long its sender has to read its answer."""


@dataclass(slots=True)
class ConnectionLimits:
    """The connections of one server, oldest first. ``known``: whether a header ``Authorization`` is a right one."""

    known: Callable[[str], bool]
    connections_max: int = CONNECTIONS_MAX
    reserve: int = RESERVE
    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS
    closed: Counter[str] = field(default_factory=Counter)
    """How many connections were closed, by why."""
    _open: dict[LimitedProtocol, None] = field(default_factory=dict)

    def enter(self, one: LimitedProtocol) -> bool:
        """Take a connection in, in another's place where it is full. False: every place is held by somebody at work."""
        if len(self._open) >= self.connections_max:
            idle = next((each for each in self._open if each.idle), None)
            if idle is not None:
                self.turn_out(idle, "silent")
            elif len(self._open) >= self.connections_max + self.reserve:
                return False
        self._open[one] = None
        return True

    def leave(self, one: LimitedProtocol) -> None:
        """Forget a connection."""
        self._open.pop(one, None)

    def turn_out(self, one: LimitedProtocol, why: str) -> None:
        """Close a connection at once."""
        self.closed[why] += 1
        self.leave(one)
        one.abort()


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with deadlines for what a client sends, and a place in the limits."""

    limits: ConnectionLimits
    _deadline: asyncio.TimerHandle | None = None
    _trusted = False
    _header_size: int | None = 0
    """Bytes of the header so far; None while no header is awaited."""
    _unwanted: int | None = None
    """Bytes of a body since it was answered; None while none is."""

    @property
    def idle(self) -> bool:
        """Whether it may be closed for another: it never showed the token, and nothing is being answered on it."""
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        answering = cycle is not None and not cycle.response_complete and self._deadline is None
        return not self._trusted and not answering

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, and wait for a header."""
        super().connection_made(transport)  # type: ignore[arg-type] # a server's transports are all of that kind
        if not self.limits.enter(self):
            self.limits.closed["full"] += 1
            self.abort()
            return
        self._within(self.limits.header_seconds, "no header")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.limits.leave(self)
        self._done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count a header while it comes; a first byte after a pause begins its time."""
        if self._unwanted is not None:
            self._unwanted += len(data)
            if self._unwanted > UNWANTED_MAX:
                self._stop_listening()
                return
        if self._header_size is not None:
            self._header_size += len(data)
            if self._deadline is None:
                self._within(self.limits.header_seconds, "no header")
        super().data_received(data)
        if self._header_size is not None and self._header_size > HEADER_MAX:
            self.limits.turn_out(self, "header too large")

    def on_headers_complete(self) -> None:
        """Learn whether this one is known; now its body has its time."""
        self._header_size = None
        if not self._trusted:
            sent = next((value for name, value in self.headers if name == b"authorization"), b"")
            self._trusted = self.limits.known(sent.decode("latin-1"))
        self._within(self.limits.body_seconds, "no body")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of a request is there."""
        self._done()
        self._header_size, self._unwanted = 0, None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is sent; where its request has not ended, what still comes of it has little room and time."""
        super().on_response_complete()
        if self._header_size is None and self.cycle.response_complete and not self.transport.is_closing():
            self._unwanted = 0
            self._within(UNWANTED_SECONDS, "body after its answer")

    def _stop_listening(self) -> None:
        """Read nothing more, say that nothing more will come, and close when the answer could be read.

        To close at once would take the answer away from a sender that still writes.
        """
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._within(UNWANTED_SECONDS, "body after its answer")

    def _within(self, seconds: float, why: str) -> None:
        self._done()
        self._deadline = self.loop.call_later(seconds, self.limits.turn_out, self, why)

    def _done(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def abort(self) -> None:
        """Close at once; whatever was sent so far is dropped."""
        self._done()
        self.transport.abort()


def limited(limits: ConnectionLimits) -> type[Any]:
    """Return the protocol of one limits, for uvicorn to make one a connection."""
    return type("LimitedProtocolOfOneServer", (LimitedProtocol,), {"limits": limits})
