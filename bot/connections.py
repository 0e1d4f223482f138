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
from itertools import islice
from typing import Protocol

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


class LimitedConnection(Protocol):
    """One connection, as the limits know it."""

    loop: asyncio.AbstractEventLoop

    @property
    def idle(self) -> bool:
        """Whether it may be closed for another."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


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
    _open: dict[LimitedConnection, None] = field(default_factory=dict)
    _making_room: bool = False
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def enter(self, one: LimitedConnection) -> bool:
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

    def leave(self, one: LimitedConnection) -> None:
        """Forget a connection."""
        self._open.pop(one, None)

    def hold(self, before: int, size: int, *, known: bool) -> bool:
        """Count what a connection holds unanswered, and held before. False: it is too much for one, or with the others'."""
        self.held += max(0, size - HELD_FREE) - max(0, before - HELD_FREE)
        together = self.held_by_known_max if known else self.held_max
        return size <= HELD_FREE or (size <= REQUEST_MAX and self.held <= together)

    def turn_out(self, one: LimitedConnection, why: str) -> None:
        """Close a connection at once."""
        self.closed[why] += 1
        self.leave(one)
        one.abort()


def allow_connections() -> None:
    """Let the process hold a descriptor for each connection, as far as its hard limit goes: many begin with 1,024."""
    wanted = 2 * (CONNECTIONS_MAX + BURST)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
