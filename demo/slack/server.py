"""The server: puts the parts together, serves them on a loopback port, and answers a test's questions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from demo.slack import api, control, hooks, uploads
from demo.slack.actor import Actor
from demo.slack.calls import CallLog
from demo.slack.delivery import Delivery
from demo.slack.faults import Faults
from demo.slack.modals import Modals
from demo.slack.model import Token
from demo.slack.pace import Pace
from demo.slack.settings import AppConfig, Timing
from demo.slack.signed import SignedRequests
from demo.slack.sockets import Sockets
from demo.slack.tasks import Background
from demo.slack.triggers import ResponseUrls, Triggers
from demo.slack.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from types import TracebackType

    from demo.slack.model import Json, Message

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_REQUEST_BYTES = 80 * 1024 * 1024
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}


class SlackServer:
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
        self.app = app or AppConfig()
        self.timing = timing or Timing()
        self.base_url = ""
        self._port = port
        self._extend = extend
        self._runner: web.AppRunner | None = None
        self._tasks = Background()
        self._wire(clock, rate_limits=rate_limits)

    def _wire(self, clock: Callable[[], float], *, rate_limits: bool) -> None:
        self.workspace = Workspace(self.app, clock)
        self.faults, self.calls, self.pace = Faults(), CallLog(), Pace(enabled=rate_limits)
        self.triggers = Triggers(self.workspace.ids, self.timing)
        self.response_urls = ResponseUrls(self.workspace.ids, self.timing)
        self.modals = Modals(self.workspace)
        self.sockets = Sockets(self.workspace)
        self._signed = SignedRequests(self.app)
        self.delivery = Delivery(self.workspace, self.timing, self.sockets, self._signed, tasks=self._tasks)
        self.message_states: dict[tuple[str, str, str], dict[str, dict[str, Json]]] = {}
        self.tokens: dict[str, Token] = {}
        self.add_token(self.app.bot_token, "bot", self.app.scopes)
        self.add_token(self.app.app_token, "app", self.app.app_scopes)

    # -- life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind to a loopback port and serve."""
        application = web.Application(client_max_size=MOST_REQUEST_BYTES, middlewares=[_only_local])
        self._routes(application)
        if self._extend is not None:
            self._extend(self, application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = self.sockets.base_url = f"http://{host}:{port}"

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

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background, until the server stops."""
        self._tasks.spawn(work)

    @property
    def api_url(self) -> str:
        """The Web API's base address, for `AsyncWebClient(base_url=…)` and `SLACK_API_URL`."""
        return f"{self.base_url}/api/"

    def add_token(self, value: str, kind: str, scopes: tuple[str, ...]) -> None:
        """Let another token in, or change the scopes of one; `kind` is `bot` or `app`."""
        known = Token(value, "app" if kind == "app" else "bot", frozenset(scopes), self.app.bot_user)
        self.tokens[value] = known

    def revoke_token(self, value: str, why: str = "token_revoked") -> None:
        """Let a token in no more; `why` is what its calls are told (`token_expired`, `account_inactive`, …)."""
        self.tokens[value] = replace(self.tokens[value], refused=why)

    def response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """Return a new `response_url` for what `user` just did."""
        return f"{self.base_url}/response/{self.response_urls.issue(channel, user, message)}"

    # -- acting and looking ------------------------------------------------------------------------------------

    def member(self, name: str) -> Actor:
        """Return somebody to act as, by name or id."""
        return Actor(self, self.workspace.user(name))

    def messages(self, channel: str, *, replies: bool = False) -> list[Message]:
        """Return the messages of a channel, oldest first; with `replies` those in threads too."""
        found = self.workspace.channel(channel).messages.values()
        return [message for message in found if replies or not message.is_reply]

    def thread(self, message: Message) -> list[Message]:
        """Return the replies to a message, oldest first, the message itself left out."""
        return self.workspace.thread(message.channel, message.ts)[1:]

    def ephemerals(self, channel: str, user: str | None = None) -> list[Message]:
        """Return what only one person sees in a channel, all of them or one user's (id or name)."""
        wanted = None if user is None else self.workspace.user(user).id
        return [m for m in self.workspace.channel(channel).ephemerals if wanted in {None, m.ephemeral_to}]

    def delivered(self, delivery_id: str) -> list[Message]:
        """Return the messages that carry a `delivery_id`: exactly once means exactly one."""
        return [message for message in self.workspace.all_messages() if message.delivery_id == delivery_id]

    def deliveries(self) -> Counter[str]:
        """Return how often each `delivery_id` is in the workspace."""
        ids = (message.delivery_id for message in self.workspace.all_messages())
        return Counter(each for each in ids if each is not None)

    def delete(self, message: Message) -> None:
        """Delete a message as an admin would."""
        self.workspace.delete(message)

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
