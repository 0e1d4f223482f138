"""An Alertmanager stand-in: takes alerts, groups, silences, tells webhooks, and answers the v2 API like 0.25."""

import asyncio
from pathlib import Path

import aiohttp
from aiohttp import web
from loguru import logger

from demo.clock import Clock, SimClock
from demo.servers.am_api import AlertmanagerApi
from demo.servers.am_config import WebhookConfig, build_inhibitions, build_route, load_config
from demo.servers.am_dispatch import Delivery, Dispatcher, body_of
from demo.servers.am_model import NANOS
from demo.servers.am_silences import Silences
from demo.servers.go_text import parse_duration
from demo.servers.local_server import Handler, LocalServer, compact

SERVER_ERRORS = 500
REFUSALS = 300
POLL = 0.05
SEND_TIMEOUT = 10.0


class AlertmanagerServer(LocalServer):
    """Alertmanager on a loopback port, with the configuration of a file or a text.

    `run()` tells webhooks until it is cancelled; a test may call `tick()` instead and move its own clock.
    """

    def __init__(self, config: Path | str, clock: Clock | None = None, *, port: int = 0) -> None:
        super().__init__(port)
        self.clock = clock or SimClock()
        self.config, self.config_text = load_config(config)
        self.started_ns = self.now_ns()
        self.resolve_timeout_ns = round(parse_duration(self.config.global_.resolve_timeout) * NANOS)
        self.silences = Silences()
        self.dispatcher = Dispatcher(
            build_route(self.config.route),
            {r.name: r.webhook_configs for r in self.config.receivers},
            build_inhibitions(self.config),
            self.silences,
        )
        self._api = AlertmanagerApi(self)

    def now_ns(self) -> int:
        """Return the clock's time in Unix nanoseconds."""
        return round(self.clock.now() * 1_000_000) * 1_000

    def routes(self) -> list[web.RouteDef]:
        """The v2 API and health."""
        return self._api.routes()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into Alertmanager's bodies."""
        return await self._api.answer(request, handler)

    async def tick(self) -> None:
        """Send what is due at the clock's present time, and wait for the answers."""
        await asyncio.gather(*(self._send(d) for d in self.dispatcher.due(self.now_ns())))

    async def run(self) -> None:
        """Send what becomes due until cancelled; a slow webhook delays only its own group."""
        async with asyncio.TaskGroup() as sending:
            while True:
                for delivery in self.dispatcher.due(self.now_ns()):
                    sending.create_task(self._send(delivery))
                await asyncio.sleep(POLL)

    async def _send(self, delivery: Delivery) -> None:
        body = compact(body_of(delivery, self.url, self.now_ns())) + "\n"
        headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/0.25.0"}
        try:
            headers |= _authorization(delivery.webhook)
            status = await _post(delivery.webhook, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._not_sent(delivery, str(error) or type(error).__name__, retry=True)
            return
        if status >= REFUSALS:
            self._not_sent(delivery, f"unexpected status code {status}", retry=status >= SERVER_ERRORS)
        else:
            self.dispatcher.delivered(delivery, self.now_ns())

    def _not_sent(self, delivery: Delivery, why: str, *, retry: bool) -> None:
        self.dispatcher.failed(delivery, self.now_ns(), retry=retry)
        where = delivery.webhook.url
        logger.bind(url=where, tries=delivery.tries, retry=retry).warning("notification not sent: {}", why)


def _authorization(webhook: WebhookConfig) -> dict[str, str]:
    """Return the header a webhook asks for. Raises OSError when its credentials file cannot be read."""
    wanted = webhook.http_config.authorization
    if wanted is None:
        return {}
    text = (
        Path(wanted.credentials_file).read_text().strip() if wanted.credentials_file else wanted.credentials
    )
    return {"Authorization": f"{wanted.type} {text}"}


async def _post(webhook: WebhookConfig, body: str, headers: dict[str, str]) -> int:
    timeout = aiohttp.ClientTimeout(total=SEND_TIMEOUT)
    follow = webhook.http_config.follow_redirects
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(webhook.url, data=body, headers=headers, allow_redirects=follow) as answer,
    ):
        await answer.read()
        return answer.status
