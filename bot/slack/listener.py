"""Receives from Slack: asks who we are, then listens over Socket Mode or at ``/slack/events`` until it is stopped.

Slack being away, or a token that is wrong, does not stop the service: alerts must be stored all the same. It is
said in the log and in ``/readyz``, and tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from loguru import logger
from slack_bolt.async_app import AsyncApp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.settings import Settings
from bot.slack.app import build_app
from bot.slack.client import Identity, SlackClient
from bot.slack.errors import Misconfigured, SlackFailure
from bot.slack.http_mode import events_endpoint
from bot.slack.refused_answers import RefusedAnswers
from bot.slack.socket_mode import Sockets
from handlers.endpoint import Endpoint
from handlers.slack.services import InFlight
from triage.ports.clock import SystemClock

DRAIN_SECONDS = 2.0
_AGAIN_SECONDS = (1.0, 8.0)
"""After a mend people can reach us as soon as what waited is sent."""

Register = Callable[[AsyncApp, Identity], None]
"""Registers every listener on a new app."""


class SlackListener:
    """One app, its listeners, its connections. ``problem`` says why nothing of Slack arrives, empty while all is well."""

    def __init__(
        self, settings: Settings, client: SlackClient, register: Register, in_flight: InFlight
    ) -> None:
        self._settings = settings
        self._client = client
        self._register = register
        self._in_flight = in_flight
        self._sockets: Sockets | None = None
        self._endpoint: Callable[[Request], Awaitable[Response]] | None = None
        self._refused = RefusedAnswers(SystemClock())
        self.problem = "not connected yet"

    @property
    def problems(self) -> dict[str, str]:
        """What a person must mend before people can reach us, and are answered; empty when all is well."""
        problem = self.problem
        if not problem and self._sockets is not None and not self.connected:
            problem = self._sockets.problem
        unheard = {"listener": problem} if problem else {}
        return {**unheard, **self._refused.problems}

    @property
    def connected(self) -> bool:
        """Whether Slack can reach us: a socket that answers, or (HTTP mode) an app behind the endpoint."""
        if self._sockets is not None:
            return self._sockets.connected > 0
        return self._endpoint is not None

    def endpoints(self) -> list[Endpoint]:
        """Return where Slack's requests arrive in HTTP mode; nowhere in Socket Mode."""
        if self._socket_mode:
            return []
        said = {"summary": "Slack's requests, signed"}
        return [Endpoint(method="POST", path="/slack/events", call=self._events, documented=lambda: said)]

    @property
    def _socket_mode(self) -> bool:
        return bool(self._settings.slack_app_token.get_secret_value())

    async def _events(self, request: Request) -> Response:
        if self._endpoint is None:
            return JSONResponse({"error": f"Slack is not connected: {self.problem}"}, status_code=503)
        return await self._endpoint(request)

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until ``stop``; then wait a little for what people's clicks have under way."""
        identity = await self._identity(stop)
        if identity is None:
            return
        secret = "" if self._socket_mode else self._settings.slack_signing_secret.get_secret_value()
        app = build_app(self._client, identity, signing_secret=secret, watches=[self._refused])
        self._register(app, identity)
        self.problem = ""
        logger.info("Slack: {team} as {user}", team=identity.team, user=identity.user_id)
        if not self._socket_mode:
            self._endpoint = events_endpoint(app, secret)
            await stop.wait()
            await self._in_flight.drained(DRAIN_SECONDS)
            return
        # Connections live in real time whatever clock the rest runs on: the SDK notes its pongs by time.time().
        self._sockets = Sockets(app, self._settings.slack_app_token.get_secret_value(), SystemClock())
        async with self._sockets.open():
            await stop.wait()
        await self._in_flight.drained(DRAIN_SECONDS)

    async def _identity(self, stop: asyncio.Event) -> Identity | None:
        wait, longest = _AGAIN_SECONDS
        while not stop.is_set():
            try:
                return await self._client.identity()
            except SlackFailure as failure:
                if self.problem != str(failure):  # said once for as long as it goes on
                    _say_unknown(failure)
                self.problem = str(failure)
            try:
                async with asyncio.timeout(wait * random.uniform(0.8, 1.2)):  # noqa: S311 - jitter
                    await stop.wait()
            except TimeoutError:
                wait = min(wait * 2, longest)
        return None


def _say_unknown(failure: SlackFailure) -> None:
    """Log that Slack has not said who we are. A refusal waits for a person; what passes by itself is no error of theirs."""
    if isinstance(failure, Misconfigured):
        logger.error("Slack refuses us: {why}", why=failure)
    else:
        logger.warning("Slack has not said yet who we are, asking again: {why}", why=failure)
