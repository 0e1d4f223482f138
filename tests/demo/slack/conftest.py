"""A running server, the real Web API client, and a real bolt app that listens to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from demo.slack import SlackServer, Timing
from demo.slack.settings import BOT_SCOPES, AppConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

MORE_SCOPES = (
    "channels:read",
    "channels:join",
    "groups:read",
    "im:read",
    "im:write",
    "files:read",
    "reactions:write",
    "users:read.email",
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the clients on this machine, whatever the environment says."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Start a server whose app has every scope; events are retried after a tenth of a second."""
    app = AppConfig(scopes=(*BOT_SCOPES, *MORE_SCOPES))
    async with SlackServer(app, Timing(ack=1.0, event_retries=(0.0, 0.1, 0.1))) as server:
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    """Return the real client, with its own retries off."""
    return AsyncWebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
def bolt(client: AsyncWebClient) -> AsyncApp:
    """Return a real bolt app without listeners."""
    return AsyncApp(client=client)


@pytest.fixture
def connected(slack: SlackServer) -> Callable[..., AbstractAsyncContextManager[list[AsyncSocketModeHandler]]]:
    """Return a context manager that connects a bolt app over so many sockets."""

    @asynccontextmanager
    async def connect(app: AsyncApp, sockets: int = 1) -> AsyncIterator[list[AsyncSocketModeHandler]]:
        handlers = [AsyncSocketModeHandler(app, slack.app.app_token, ping_interval=1) for _ in range(sockets)]
        before = len(slack.sockets.connections)
        try:
            for handler in handlers:
                await handler.connect_async()  # type: ignore[no-untyped-call]
            await slack.sockets.until_connected(before + sockets)
            yield handlers
        finally:
            for handler in handlers:
                await handler.close_async()  # type: ignore[no-untyped-call]

    return connect
