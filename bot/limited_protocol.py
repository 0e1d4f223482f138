"""uvicorn's protocol under the limits of our port: what each connection counts of itself, and when it is closed."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bot.connections import (
    ANSWER_BUFFER,
    HEADER_MAX,
    HELD_FREE,
    PIPELINED_BY_KNOWN_MAX,
    PIPELINED_MAX,
    UNWANTED_MAX,
    UNWANTED_SECONDS,
    ConnectionLimits,
)
from bot.joined_writes import JoinedWrites

_NO_TRAILERS: deque[tuple[bytes, bytes]] = deque(maxlen=0)
"""Where what stands behind a body goes: nobody reads it, and it may be without end."""


class _TooManyAtOnce(Exception):
    """A connection asks more at once than is taken; ends the parsing of what it sent."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with deadlines for what a client sends, and a place in the limits."""

    limits: ConnectionLimits
    _deadline: asyncio.TimerHandle | None = None
    _trusted = False
    _header_size: int | None = 0
    """Bytes of the header so far; None while no header is awaited."""
    _unwanted: int | None = None
    """Bytes of a body since it was answered; None while none is."""
    _held = 0
    """Bytes since all was answered."""
    _unread: asyncio.TimerHandle | None = None
    """Runs while the client leaves an answer unread."""
    _in_turn = False
    """Whether the request at hand waits to be begun."""
    _answered: RequestResponseCycle | None = None
    """The request that is being answered: with others behind it, ``cycle`` is the last of them."""

    @property
    def idle(self) -> bool:
        """Whether it may be closed for another: it never showed the token, and we are not at work on an answer to it."""
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        answering = cycle is not None and not cycle.response_complete and self._deadline is None
        return not self._trusted and (self._in_turn or self._unread is not None or not answering)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, and wait for a header."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type] # it is one in all that is used
        self.transport.set_write_buffer_limits(high=ANSWER_BUFFER, low=0)
        if not self.limits.enter(self):
            self.limits.closed["full"] += 1
            self.abort()
            return
        self._within(self.limits.header_seconds, "no header")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back; nothing more is written for those who asked here."""
        self.limits.leave(self)
        self._done()
        self._read()
        self._hold(0)
        for cycle in (self._answered, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count a header while it comes; what has not come whole by now has its time for the rest."""
        if self._unwanted is not None:
            self._unwanted += len(data)
            if self._unwanted > UNWANTED_MAX:
                self._stop_listening()
                return
        elif not self._hold(self._held + len(data)):
            self.limits.turn_out(self, "too much unanswered")
            return
        if self._header_size is not None:
            self._header_size += len(data)
        super().data_received(data)
        if not self.transport.is_closing():
            self._await_rest()

    def _await_rest(self) -> None:
        if self._header_size is not None and self._header_size > HEADER_MAX:
            self.limits.turn_out(self, "header too large")
        elif self._deadline is None and self._header_size:
            self._within(self.limits.header_seconds, "no header")
        elif self._deadline is None and self._header_size is None:
            self._within(self.limits.body_seconds, "no body")

    def on_message_begin(self) -> None:
        """Begin to read a request, where not too many wait already."""
        if len(self.pipeline) >= (PIPELINED_BY_KNOWN_MAX if self._trusted else PIPELINED_MAX):
            self.limits.turn_out(self, "too many at once")
            raise _TooManyAtOnce
        # It may begin in the piece of data that ends the one before: none of that was counted as its header.
        self._header_size = max(self._header_size or 0, 1)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Learn whether this one is known; the time of its header is over."""
        self._done()
        self._header_size = None
        if not self._trusted:
            sent = next((value for name, value in self.headers if name == b"authorization"), b"")
            self._trusted = self.limits.known(sent.decode("latin-1"))
        super().on_headers_complete()
        self.headers = _NO_TRAILERS  # type: ignore[assignment] # all that is done with it is to append

    def on_message_complete(self) -> None:
        """All of a request is there."""
        self._done()
        self._header_size, self._unwanted = 0, None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is sent; where its request has not ended, what still comes of it has little room and time."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._hold(0)
        if self._header_size is None and self.cycle.response_complete and not self.transport.is_closing():
            self._unwanted = 0
            self._within(UNWANTED_SECONDS, "body after its answer")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, where the connection is still there to be answered."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """An answer waits to be read: from now on its client has its time."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(
                self.limits.answer_seconds, self.limits.turn_out, self, "answer not read"
            )

    def resume_writing(self) -> None:
        """All answers so far are on their way."""
        self._read()
        super().resume_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._answered = cycle
        if self._trusted:
            super()._start_asgi_task(cycle, app)
            return
        self._in_turn = True
        self.limits.begin_in_turn(self.loop, partial(self._begin, cycle, app))

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._in_turn = False
        if not cycle.disconnected:
            super()._start_asgi_task(cycle, app)

    def _hold(self, size: int) -> bool:
        before, self._held = self._held, size
        if size <= HELD_FREE and before <= HELD_FREE:  # as nearly all are
            return True
        return self.limits.hold(before, size, known=self._trusted)

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

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
        self._read()
        self.transport.abort()


def limited(limits: ConnectionLimits) -> type[Any]:
    """Return the protocol of one limits, for uvicorn to make one a connection."""
    return type("LimitedProtocolOfOneServer", (LimitedProtocol,), {"limits": limits})
