"""Connections that Slack closes, refuses, or leaves deaf."""

import time

from bot.slack.app import build_app
from bot.slack.client import Identity, open_client
from bot.slack.socket_mode import Sockets
from demo.slack import SlackServer
from tests.bot.slack.workbench import until
from triage.ports.clock import SystemClock

WHO = Identity("T1", "team", "U1", "B1")


async def test_two_connections_are_held_and_an_old_one_is_renewed(slack: SlackServer) -> None:
    """Renewing opens the new one before it closes the old: never fewer than two listen."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(
            build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.2, renew_seconds=0.5
        )
        async with sockets.open():
            first = sockets._lines[0]
            await until(lambda: first not in sockets._lines, 5)
            assert sockets.connected >= 2
        assert sockets.connected == 0


async def test_a_deaf_connection_is_replaced(slack: SlackServer) -> None:
    """Open, but no pong for four pings: the other side is gone without a word."""
    async with open_client(slack.app.bot_token, url=slack.api_url) as client:
        sockets = Sockets(build_app(client, WHO), slack.app.app_token, SystemClock(), ping_seconds=0.3)
        async with sockets.open():
            deaf = sockets._lines[0]
            deaf.handler.client.last_ping_pong_time = time.time() - 60
            deaf.handler.client.auto_reconnect_enabled = False
            await until(lambda: deaf not in sockets._lines or sockets._hears(deaf), 5)
            await until(lambda: sockets.connected == 2, 5)


async def test_slack_being_away_neither_stops_nor_delays_the_start() -> None:
    """The webhooks must be stored all the same."""
    async with open_client("xoxb-1", url="http://127.0.0.1:1/api/") as client:
        sockets = Sockets(build_app(client, WHO), "xapp-1", SystemClock(), ping_seconds=0.5)
        began = time.monotonic()
        async with sockets.open():
            assert time.monotonic() - began < 2.5
            assert sockets.connected == 0
