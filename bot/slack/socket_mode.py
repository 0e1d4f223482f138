"""Hearing from Slack over Socket Mode: two connections at least, watched, and replaced when they go deaf.

Slack closes each connection every few hours, and any envelope may go to any of them: one alone has gaps.
A WebSocket can also stay open and hear nothing. Every pong is noted by the SDK; a connection without one for
``deaf_seconds``, or one that is older than ``renew_seconds``, is replaced while the other one listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from loguru import logger
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError

from triage.ports.clock import Clock

CONNECTIONS = 2
PING_SECONDS = 5.0
CONNECT_SECONDS = 20.0
START_SECONDS = 1.5
CLOSE_SECONDS = 3.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(slots=True)
class _Line:
    """One connection: since when, and how many Slack says the app has (``hello``)."""

    handler: AsyncSocketModeHandler
    since: float
    announced: int = 0


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
        self._lines: list[_Line] = []
        self._filled = asyncio.Event()

    @property
    def connected(self) -> int:
        """How many connections are open and answer our pings."""
        return sum(self._hears(line) for line in self._lines)

    @property
    def announced(self) -> int:
        """How many connections of this app Slack counts, all replicas together (``num_connections``)."""
        return max((line.announced for line in self._lines), default=0)

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

    async def _fill(self) -> None:
        """Open what is missing."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._wanted - len(self._lines)):
                tasks.create_task(self._try_connect())

    async def _try_connect(self) -> bool:
        """Open one connection; False, said and cleaned up, where that fails."""
        line = self._new_line()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await line.handler.connect_async()  # type: ignore[no-untyped-call]  # the SDK has no types here
        except (TimeoutError, SlackClientError, aiohttp.ClientError, OSError) as error:
            logger.bind(error=str(error) or "no answer").warning("no Socket Mode connection, trying again")
            await self._drop(line)
            return False
        return True

    def _new_line(self) -> _Line:
        handler = AsyncSocketModeHandler(self._app, self._token, ping_interval=self._ping)
        if urlsplit(self._app.client.base_url).hostname in _LOOPBACK:
            handler.client.proxy = None
        line = _Line(handler, since=self._clock.monotonic())
        self._lines.append(line)

        async def listen(_client: object, message: dict[str, Any], _raw: str | None = None) -> None:
            if message.get("type") == "hello":
                line.announced = int(message.get("num_connections") or 0)

        handler.client.message_listeners.append(listen)
        return line

    async def _watch(self) -> None:
        await self._fill()
        self._filled.set()
        while True:
            await asyncio.sleep(self._ping)
            for number, line in enumerate(list(self._lines)):
                age = self._clock.monotonic() - line.since
                if not self._hears(line) or age > self._renew * (1 + number / self._wanted):
                    await self._replace(line)
            await self._fill()

    def _hears(self, line: _Line) -> bool:
        client = line.handler.client
        session, pong = client.current_session, client.last_ping_pong_time
        if client.closed or client.stale or session is None or session.closed:
            return False
        silent = 0.0 if pong is None else self._clock.now().timestamp() - pong
        return silent < self._ping * 4

    async def _replace(self, line: _Line) -> None:
        """Connect anew before the old connection is closed, so that one more listens, never one less."""
        logger.bind(connected=self.connected).info("Socket Mode connection replaced")
        if await self._try_connect():
            await self._drop(line)

    async def _drop(self, line: _Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await line.handler.close_async()  # type: ignore[no-untyped-call]  # the SDK has no types here
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            logger.bind(error=str(error)).debug("connection not closed cleanly")
        finally:  # the SDK closes its session last: a socket that does not want to end would leave it open
            await line.handler.client.aiohttp_client_session.close()

    async def _close_all(self) -> None:
        for line in list(self._lines):
            await self._drop(line)
