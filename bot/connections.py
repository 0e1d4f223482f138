"""Who may hold a connection to our port, and for how long: idle and excess connections must not keep webhooks out.

::

    a connection that sends no whole header within ``HEADER_SECONDS``, or no whole body within ``BODY_SECONDS``, is closed
    what goes on sending a body that is answered already is not read any more after ``UNWANTED_MAX`` bytes, and closed
    one that does not read its answers within ``ANSWER_SECONDS`` is closed, and so is one that asks more than
    ``PIPELINED_MAX`` things before it is answered
    ``REQUEST_MAX`` bytes of what is not answered yet on one connection, and a budget over all of them: who never showed
    the token is closed where together they hold more than ``HELD_MAX``
    ``CONNECTIONS_MAX`` at once; what is more is closed after ``BURST_SECONDS``, the longest silent first: whoever has come
    to ask something has done so by then
    ``BURST`` more at the most; beyond them one more takes the place of the longest silent at once
    who once sent a request with the token keeps its place, and is answered at once; of the others' requests
    ``UNKNOWN_AT_ONCE`` are begun in one pass of the loop, so that no flood of them delays a webhook
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bot.joined_writes import JoinedWrites

CONNECTIONS_MAX = 400
BURST = 1600
BURST_SECONDS = 0.25
HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
HEADER_MAX = 64 * 1024
"""Bytes of a request's header."""
UNKNOWN_AT_ONCE = 4
UNWANTED_MAX = 64 * 1024
"""Bytes of a body after its answer (a refusal) that are read and dropped, so that the connection can be used again."""
UNWANTED_SECONDS = 1.0
"""How long such a body may take to end, and then how long its sender has to read its answer."""
ANSWER_SECONDS = 10.0
"""How long a client may leave its answers unread, once the sockets' buffers are full of them."""
ANSWER_BUFFER = 4096
"""Bytes of an answer that may wait in this process without that time running: an ordinary one is in the socket at once."""
PIPELINED_MAX, PIPELINED_BY_KNOWN_MAX = 2, 20
"""Requests that may wait on one connection while one is answered: they are small and become large when they are read."""
REQUEST_MAX = 8 * 1024 * 1024
"""Bytes on one connection that are not answered yet, with the signs between their pieces and what follows a body."""
HELD_FREE = 64 * 1024
"""Bytes of them that count for nothing: a small request is taken whatever the others send."""
HELD_MAX, HELD_BY_KNOWN_MAX = 16 * 1024 * 1024, 64 * 1024 * 1024
"""Bytes of all connections' unanswered requests, beyond what is free; and where the one that sends showed the token."""


_NO_TRAILERS: deque[tuple[bytes, bytes]] = deque(maxlen=0)
"""Where what stands behind a body goes: nobody reads it, and it may be without end."""


class _TooManyAtOnce(Exception):
    """A connection asks more at once than is taken; ends the parsing of what it sent."""


@dataclass(slots=True)
class ConnectionLimits:
    """The connections of one server, oldest first. ``known``: whether a header ``Authorization`` is a right one."""

    known: Callable[[str], bool]
    connections_max: int = CONNECTIONS_MAX
    burst: int = BURST
    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    held_max: int = HELD_MAX
    held_by_known_max: int = HELD_BY_KNOWN_MAX
    held: int = 0
    """Bytes of unanswered requests beyond what is free of each."""
    closed: Counter[str] = field(default_factory=Counter)
    """How many connections were closed, by why."""
    _open: dict[LimitedProtocol, None] = field(default_factory=dict)
    _making_room: bool = False
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def enter(self, one: LimitedProtocol) -> bool:
        """Take a connection in. False: every place is held by somebody at work."""
        if len(self._open) >= self.connections_max + self.burst:
            idle = next((each for each in self._open if each.idle), None)
            if idle is None:
                return False
            self.turn_out(idle, "silent")
        self._open[one] = None
        self._make_room_later(one.loop)
        return True

    def _make_room_later(self, loop: asyncio.AbstractEventLoop) -> None:
        if len(self._open) > self.connections_max and not self._making_room:
            self._making_room = True
            loop.call_later(BURST_SECONDS, self._make_room, loop)

    def _make_room(self, loop: asyncio.AbstractEventLoop) -> None:
        self._making_room = False
        too_many = len(self._open) - self.connections_max
        for each in list(islice((each for each in self._open if each.idle), max(0, too_many))):
            self.turn_out(each, "silent")
        self._make_room_later(loop)

    def begin_in_turn(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None]) -> None:
        """Call ``begin`` once all that came before it were begun, few in one pass of the loop."""
        self._waiting.append(begin)
        if len(self._waiting) == 1:
            loop.call_soon(self._begin_some, loop)

    def _begin_some(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(UNKNOWN_AT_ONCE, len(self._waiting))):
            self._waiting[0]()
            self._waiting.popleft()
        if self._waiting:
            loop.call_soon(self._begin_some, loop)

    def leave(self, one: LimitedProtocol) -> None:
        """Forget a connection."""
        self._open.pop(one, None)

    def hold(self, before: int, size: int, *, known: bool) -> bool:
        """Count what a connection holds unanswered, and held before. False: it is too much for one, or with the others'."""
        self.held += max(0, size - HELD_FREE) - max(0, before - HELD_FREE)
        together = self.held_by_known_max if known else self.held_max
        return size <= HELD_FREE or (size <= REQUEST_MAX and self.held <= together)

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


def allow_connections() -> None:
    """Let the process hold a descriptor for each connection, as far as its hard limit goes: many begin with 1,024."""
    wanted = 2 * (CONNECTIONS_MAX + BURST)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def limited(limits: ConnectionLimits) -> type[Any]:
    """Return the protocol of one limits, for uvicorn to make one a connection."""
    return type("LimitedProtocolOfOneServer", (LimitedProtocol,), {"limits": limits})
