"""The server: puts the parts together, serves them on a loopback port, and answers a test's questions."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Self

from aiohttp import web

from demo.slack import api, control, hooks, uploads
from demo.slack.actor import Actor
from demo.slack.backend import SlackBackend
from demo.slack.settings import AppConfig, Timing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from demo.slack.model import Message

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_REQUEST_BYTES = 80 * 1024 * 1024
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}


class SlackServer(SlackBackend):
    """A workspace with one app in it, served on `127.0.0.1:port` (0: a free port).

    Use it as `async with SlackServer() as slack:`. The bot gets `slack.api_url`, `slack.app.bot_token` and
    `slack.app.app_token`; a test acts through `slack.member(name)` and looks through `slack.messages(…)`.
    `clock` (Unix seconds) is what messages are stamped with; Slack's time limits run in real time.
    """

    def __init__(
        self,
        app: AppConfig | None = None,
        timing: Timing | None = None,
        *,
        port: int = 0,
        rate_limits: bool = False,
        extend: Callable[[SlackServer, web.Application], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, timing, clock, rate_limits=rate_limits)
        self._port = port
        self._extend = extend
        self._runner: web.AppRunner | None = None

    # -- life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind to a loopback port and serve."""
        application = web.Application(client_max_size=MOST_REQUEST_BYTES, middlewares=[_only_local])
        self._routes(application)
        application.on_response_prepare.append(self._dated)
        if self._extend is not None:
            self._extend(self, application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = self.sockets.base_url = f"http://{host}:{port}"

    async def _dated(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer the workspace's date: one clock stamps messages and answers."""
        del request
        response.headers["Date"] = formatdate(self.workspace.clock(), usegmt=True)

    async def stop(self) -> None:
        """Close every connection and stop serving."""
        await self._tasks.close()
        await self.sockets.close()
        await self._signed.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _routes(self, application: web.Application) -> None:
        async def call(request: web.Request) -> web.StreamResponse:
            return await api.serve(self, request)

        async def respond(request: web.Request) -> web.StreamResponse:
            return await hooks.respond(self, request)

        application.router.add_route("*", "/api/{method}", call)
        application.router.add_get("/link/", self.sockets.serve)
        application.router.add_post("/response/{key}", respond)
        uploads.add_routes(self, application)
        control.add_routes(self, application)

    # -- acting and looking ------------------------------------------------------------------------------------

    def member(self, name: str) -> Actor:
        """Return somebody to act as, by name or id."""
        return Actor(self, self.workspace.user(name))

    async def message(
        self,
        where: Callable[[Message], bool] = lambda _: True,
        channel: str | None = None,
        *,
        seconds: float = 30.0,
        what: str = "a message",
    ) -> Message:
        """Wait for the first message (ephemeral ones and replies too) that fits, and return it; `TimeoutError`."""
        found: list[Message] = []

        def there() -> bool:
            places = (
                self.workspace.channels.values() if channel is None else [self.workspace.channel(channel)]
            )
            for place in places:
                found.extend(m for m in (*place.messages.values(), *place.ephemerals) if where(m))
            return bool(found)

        await self.workspace.until(there, seconds, what)
        return found[0]


@web.middleware
async def _only_local(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that are not this machine's (DNS rebinding), and pages of other origins that would post here."""
    host = request.headers.get("Host", "").rpartition(":")[0] or request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if host not in LOCAL_NAMES or (origin is not None and origin.split("://")[-1] != request.headers["Host"]):
        raise web.HTTPForbidden(text="this server speaks to this machine only")
    return await handler(request)
