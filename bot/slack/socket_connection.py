"""One Socket Mode connection: what is known of it, and why there may be none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from bot.slack.errors import NotDone, SlackFailure

ACKNOWLEDGE_SECONDS = 3.0
"""So long Slack waits for an acknowledgement; then it tells the person that it did not work."""
WEBSOCKET = "WebSocket"
TOO_MANY = "too_many_websockets"
WHY_CLOSED = {
    TOO_MANY: "the app has ten connections, and Slack allows no more: end other processes that use SLACK_APP_TOKEN",
    "link_disabled": "turn Socket Mode on on the app's page",
}
REFRESHED = frozenset({"warning", "refresh_requested", "closed"})
"""Why Slack closes a connection in the course of things."""


class NoWebSocketError(BaseException):
    """No WebSocket at the address that Slack gave.

    After any Exception the SDK would try the same address again until it is stopped, each time with a traceback.
    """

    def __init__(self, failure: SlackFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(slots=True)
class SocketConnection:
    """One connection: since when, and how many Slack says the app has (``hello``).

    ``leaving``: the reason for which Slack is about to close it. ``until``: when it is closed though it still listens.
    ``unanswered``: the envelopes that came over it and are not acknowledged yet, with when they came. ``closing``: no
    more are taken from it. ``received``: something came over it. ``made``: it came about. ``fleeting``: Slack closed it
    at once.
    """

    handler: AsyncSocketModeHandler
    since: float
    announced: int = 0
    leaving: str = ""
    until: float = 0.0
    unanswered: dict[str, float] = field(default_factory=dict)
    closing: bool = False
    received: asyncio.Event = field(default_factory=asyncio.Event)
    made: bool = False
    fleeting: bool = False

    def awaited(self, now: float) -> bool:
        """Whether Slack still waits for an acknowledgement."""
        return any(now - came < ACKNOWLEDGE_SECONDS for came in self.unanswered.values())

    @property
    def closed(self) -> bool:
        """Whether nothing can come over it any more."""
        session = self.handler.client.current_session
        return bool(self.handler.client.closed or session is None or session.closed)


def tried_once(connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Have a WebSocket that does not come about end the attempt; its address, which is a secret, is told nobody."""

    async def once(*words: Any, **options: Any) -> Any:  # noqa: ANN401 - as aiohttp takes them
        try:
            return await connect(*words, **options)
        except aiohttp.WSServerHandshakeError as error:
            why = f"HTTP {error.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = str(error) if isinstance(error, aiohttp.ClientConnectorError) else type(error).__name__
        raise NoWebSocketError(NotDone(WEBSOCKET, "unreachable", why))

    return once


def closed_because(reason: str) -> SlackFailure:
    """Return why Slack has closed a connection, with the mend where a person has to do something."""
    return NotDone(WEBSOCKET, reason, WHY_CLOSED.get(reason, ""))
