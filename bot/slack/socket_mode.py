"""Receives from Slack over Socket Mode: two connections at least, watched, and replaced when nothing arrives any more.

Slack closes each connection every few hours, and any envelope may go to any of them: one alone has gaps. It says so
before (``disconnect``); the SDK would close the old connection first and lose the click that is on its way to it. So
another one is opened first, and the old one goes on listening until Slack closes it, or some seconds have passed.
A WebSocket can also stay open and receive nothing. Every pong is noted by the SDK; a connection without one for some
pings, or one that is older than ``renew_seconds``, is replaced while the other one listens. One counts when Slack's
first word has come over it; where that word is good-bye, the next one is asked for after a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
from loguru import logger
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from bot.slack import socket_connection
from bot.slack.client import LOOPBACK, SlackClient, text_of
from bot.slack.envelopes import Envelopes
from bot.slack.errors import OutcomeUnknown, RateLimited, SlackFailure
from bot.slack.socket_connection import (
    REFRESHED,
    TOO_MANY,
    WEBSOCKET,
    NoWebSocketError,
    SocketConnection,
    closed_because,
    tried_once,
)
from triage.ports.bell import Bell
from triage.ports.clock import Clock

CONNECTIONS = 2
PING_SECONDS = 5.0
CONNECT_SECONDS = 20.0
START_SECONDS = 1.5
CLOSE_SECONDS = 3.0
LINGER_SECONDS, LINGERING = 10.0, 6
"""How long a connection that Slack wants to close still listens, and how many of them: Slack allows ten in all."""
FLEETING_SECONDS = 5.0
"""What Slack closes sooner, for another reason or before a word, is asked for anew after a pause, which grows."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 15.0
OPEN = "apps.connections.open"
LONGEST_WAIT_SECONDS = 60.0
"""So long a 429 of that is obeyed: without a connection no click arrives."""


class Sockets:
    """Holds the connections of one app."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        clock: Clock,
        *,
        connections: int = CONNECTIONS,
        ping_seconds: float = PING_SECONDS,
        renew_seconds: float = 3600.0,
    ) -> None:
        self._app = app
        self._token = app_token
        self._clock = clock
        self._wanted = connections
        self._ping = ping_seconds
        self._renew = renew_seconds
        self._connections: list[SocketConnection] = []
        self._lingering: list[SocketConnection] = []
        self._envelopes = Envelopes(clock, self._listening, self._leave)
        self._wait_until = 0.0
        self._fleeting = 0
        """Connections that Slack closed at once, one after the other."""
        self.problem = ""
        """Why the last connection that was tried did not come about, in words; empty once one does."""
        self._changed = Bell()
        self._filled = asyncio.Event()

    @property
    def connected(self) -> int:
        """How many connections are open and answer our pings."""
        return sum(
            connection.made and self._answers_pings(connection) and not connection.leaving
            for connection in self._connections
        )

    @property
    def announced(self) -> int:
        """How many connections of this app Slack counts, all replicas together (``num_connections``)."""
        return max((connection.announced for connection in self._connections), default=0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connect, and watch the connections until the end of the block.

        Slack being away neither raises nor delays the start for long: what comes in elsewhere must be stored all
        the same, and the watch goes on trying.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self._watch())
                with suppress(TimeoutError):
                    async with asyncio.timeout(START_SECONDS):
                        await self._filled.wait()
                try:
                    yield
                finally:
                    watch.cancel()
        finally:
            await self._close_all()

    def _listening(self) -> list[SocketConnection]:
        return [*self._connections, *self._lingering]

    async def _fill(self) -> None:
        """Open what is missing."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._wanted - len(self._connections)):
                tasks.create_task(self._try_connect())

    async def _try_connect(self) -> bool:
        """Open one connection; False, said and cleaned up, where that fails."""
        if self._clock.monotonic() < self._wait_until:
            return False
        connection = self._new_connection()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection.handler.client.wss_uri = await self._address(connection)
                await connection.handler.connect_async()  # type: ignore[no-untyped-call]  # the SDK has no types here
                await self._greeted(connection)
        except NoWebSocketError as none:
            self._note(none.failure)
        except (TimeoutError, SlackFailure, SlackClientError, aiohttp.ClientError, OSError) as error:
            self._note(error)
        else:
            connection.made, self.problem = True, ""
            return True
        await self._drop(connection)
        return False

    async def _greeted(self, connection: SocketConnection) -> None:
        """Wait for the first word over a connection: a WebSocket that comes about may lead nowhere.

        One without a word whose pings are answered is taken all the same: the other end closes none of those.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._ping * 2):
                await connection.received.wait()
        if connection.fleeting:
            raise NoWebSocketError(closed_because(connection.leaving))
        if connection.closed:
            raise TimeoutError

    async def _address(self, connection: SocketConnection) -> str:
        """Ask Slack for an address, once: the SDK would wait for as long as a 429 says, and print tracebacks."""
        web = connection.handler.client.web_client
        answer = await SlackClient(web).app_call(OPEN, self._token)
        address = text_of(answer, "url", OPEN)
        if not address.startswith(("ws://", "wss://")):
            raise OutcomeUnknown(OPEN, "bad_answer", "its url is no address of a WebSocket")
        return address

    def _note(self, error: Exception) -> None:
        """Keep why there is no connection, which only a person may be able to mend."""
        if isinstance(error, RateLimited):
            self._wait_until = self._clock.monotonic() + min(error.retry_after, LONGEST_WAIT_SECONDS)
        within = f"{WEBSOCKET}: none that answers within {CONNECT_SECONDS:g} s"
        before, self.problem = self.problem, str(error) if isinstance(error, SlackFailure) else within
        level = "DEBUG" if self.problem == before else "WARNING"  # it is tried every few seconds
        logger.bind(error=self.problem).log(level, "no Socket Mode connection, trying again")

    def _new_connection(self) -> SocketConnection:
        handler = AsyncSocketModeHandler(self._app, self._token, ping_interval=self._ping)
        if urlsplit(self._app.client.base_url).hostname in LOOPBACK:
            handler.client.proxy = None
        connection = SocketConnection(handler, since=self._clock.monotonic())
        self._connections.append(connection)

        async def reconnect(force: bool = False) -> None:  # noqa: FBT001, FBT002 - as the SDK calls it
            del force
            self._leave(connection, connection.leaving or "closed")

        client = handler.client
        self._envelopes.listen(connection)
        session = client.aiohttp_client_session
        session.ws_connect = tried_once(session.ws_connect)  # type: ignore[method-assign, assignment]
        # The SDK would close the connection and only then open another one: here the watch does it, in that order.
        client.connect_to_new_endpoint = reconnect  # type: ignore[method-assign]
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        return connection

    def _leave(self, connection: SocketConnection, reason: str) -> None:
        """Note that a connection is about to be closed, or is, and wake the watch."""
        if not connection.leaving:
            connection.leaving = reason
            self._pause_if_fleeting(connection)
        self._changed.ring()

    def _pause_if_fleeting(self, connection: SocketConnection) -> None:
        """Ask for the next connection later where Slack closed one at once: it would close that one too."""
        now = self._clock.monotonic()
        if now - connection.since >= FLEETING_SECONDS:
            self._fleeting = 0
        elif not connection.received.is_set() or connection.leaving not in REFRESHED:
            connection.fleeting = True
            self._note(closed_because(connection.leaving))
            if connection.leaving == TOO_MANY and self._lingering:  # the oldest of ours makes room
                self._lingering[0].until = now
                return
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._fleeting, 6))
            self._fleeting += 1
            self._wait_until = max(self._wait_until, now + pause)

    async def _watch(self) -> None:
        await self._fill()
        self._filled.set()
        while True:
            await self._changed.wait(self._ping)
            async with asyncio.TaskGroup() as tasks:
                for number, connection in enumerate(list(self._connections)):
                    age = self._clock.monotonic() - connection.since
                    old = age > self._renew * (1 + number / self._wanted)
                    if connection.leaving or old or not self._answers_pings(connection):
                        tasks.create_task(self._replace(connection))
            await self._fill()
            await self._let_go()

    def _answers_pings(self, connection: SocketConnection) -> bool:
        client = connection.handler.client
        if connection.closed or client.stale:
            return False
        pong = client.last_ping_pong_time
        silent = 0.0 if pong is None else self._clock.now().timestamp() - pong
        return silent < self._ping * 4

    async def _replace(self, connection: SocketConnection) -> None:
        """Connect anew before the old connection is closed, so that one more listens, never one less."""
        logger.bind(connected=self.connected, reason=connection.leaving).info(
            "Socket Mode connection replaced"
        )
        if connection.leaving == TOO_MANY:  # another one more would be refused as well
            await self._drop(connection)
            return
        if await self._try_connect() and connection in self._connections:
            self._connections.remove(connection)
            connection.until = self._clock.monotonic() + LINGER_SECONDS
            self._lingering.append(connection)

    async def _let_go(self) -> None:
        """Close connections that are replaced: once Slack has closed them, or they have listened long enough."""
        now = self._clock.monotonic()
        over = [
            connection
            for connection in self._lingering
            if connection.until <= now or not self._answers_pings(connection)
        ]
        many = [connection for connection in self._lingering[:-LINGERING] if connection not in over]
        over += [connection for connection in many if not connection.awaited(now)]
        for connection in over:
            self._lingering.remove(connection)
            await self._drop(connection)

    async def _drop(self, connection: SocketConnection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await connection.handler.close_async()  # type: ignore[no-untyped-call]  # the SDK has no types here
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            logger.bind(error=str(error)).debug("connection not closed cleanly")
        finally:  # the SDK closes its session last: a socket that does not want to end would leave it open
            await connection.handler.client.aiohttp_client_session.close()

    async def _close_all(self) -> None:
        """Take nothing more, acknowledge what was taken, close: no click is done and not acknowledged, or the other way."""
        connections = self._listening()
        for connection in connections:
            connection.closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(socket_connection.ACKNOWLEDGE_SECONDS):
                while any(connection.awaited(self._clock.monotonic()) for connection in connections):
                    await self._envelopes.answered.wait(0.1)
        async with asyncio.TaskGroup() as tasks:
            for connection in connections:
                tasks.create_task(self._drop(connection))
        self._lingering.clear()
