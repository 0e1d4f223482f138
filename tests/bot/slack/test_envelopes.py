"""Acknowledgements over the connections of one app."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.slack import envelopes
from bot.slack.envelopes import Envelopes
from bot.slack.socket_connection import SocketConnection
from tests.fakes.clock import ManualClock


class Client:
    """The SDK's client of one connection: what it is to send stays in the network where it ``hangs``."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs, self.sent, self.done = hangs, list[str](), list[str]()

    async def enqueue_message(self, message: str) -> None:
        """Take an envelope that is to be done."""
        self.done.append(message)

    async def send_message(self, text: str) -> None:
        """Send, or wait without end."""
        if self.hangs:
            await asyncio.Event().wait()
        self.sent.append(text)


async def test_a_connection_that_takes_nothing_holds_up_no_acknowledgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One envelope came over both connections; the first stands still, and the second must carry the answer."""
    monkeypatch.setattr(envelopes, "ACKNOWLEDGE_SECONDS", 0.05)
    clients = [Client(hangs=True), Client(hangs=False)]
    connections = [
        SocketConnection(cast("Any", SimpleNamespace(client=client)), number)
        for number, client in enumerate(clients)
    ]
    of_app = Envelopes(ManualClock(), lambda: connections, lambda *_: None)
    for connection in connections:
        of_app.listen(connection)
    asked = {"command": "/triage", "text": "", "user_id": "U1", "channel_id": "C1", "team_id": "T1"}
    message = json.dumps({"envelope_id": "e1", "type": "slash_commands", "payload": asked})
    for client in clients:
        await client.enqueue_message(message)
    assert [len(client.done) for client in clients] == [1, 0]
    async with asyncio.timeout(5):
        await cast("Any", clients[0]).send_socket_mode_response({"envelope_id": "e1"})
        assert [json.loads(text) for text in clients[1].sent] == [{"envelope_id": "e1"}]
        assert [connection.unanswered for connection in connections] == [{}, {}]
        await clients[0].enqueue_message(message)  # asked for again where it does not get through
    assert [len(client.done) for client in clients] == [1, 0]
