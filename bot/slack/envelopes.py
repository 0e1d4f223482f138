"""What comes over the connections of one app: looked over before anything reads it, and done once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import aiohttp
from loguru import logger
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack.payload_shape import Odd, look_over_envelope
from bot.slack.socket_connection import ACKNOWLEDGE_SECONDS, SocketConnection
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.untrusted_text import one_line

REMEMBERED = 500
LONGEST_REASON = 60


class Envelopes:
    """Remembers the latest envelopes, over whichever connection they came, and how they were acknowledged.

    Slack sends one again where it does not know whether we have it: its connection broke before the acknowledgement.
    ``connections``: all that listen. ``leave`` is told that Slack is about to close one, and why.
    """

    def __init__(
        self,
        clock: Clock,
        connections: Callable[[], Iterable[SocketConnection]],
        leave: Callable[[SocketConnection, str], None],
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._leave = leave
        self.answered = Bell()
        """Rings with each acknowledgement."""
        self._answers: dict[str, str] = {}
        """By id, what acknowledged it; empty where that is still under way."""

    def listen(self, connection: SocketConnection) -> None:
        """Read what comes over a connection before the SDK does, which gets the envelopes that are to be done alone.

        While it closes no envelope is taken that could not be acknowledged any more: Slack tells the person that it did
        not work.
        """
        client = connection.handler.client
        enqueue = client.enqueue_message

        async def take(message: str) -> None:
            came = self._read(message)
            if came.get("type") == "hello":
                count = came.get("num_connections")
                connection.announced = count if isinstance(count, int) else 0
            elif came.get("type") == "disconnect":
                self._leave(connection, one_line(str(came.get("reason") or "disconnect"), LONGEST_REASON))
            elif (envelope := came.get("envelope_id")) and not connection.closing:
                before = self._again(envelope)
                if before:
                    await _send(connection, before)
                else:
                    connection.unanswered[envelope] = self._clock.monotonic()
                if before is None:
                    await enqueue(message)
            connection.received.set()

        client.enqueue_message = take  # type: ignore[method-assign]
        client.send_socket_mode_response = self._answer  # type: ignore[method-assign]

    @staticmethod
    def _read(text: str) -> dict[str, Any]:
        """Return a message of Slack's; empty, and said, where it is none."""
        try:
            return look_over_envelope(text)
        except Odd as odd:
            logger.warning("what came over a WebSocket is none of Slack's: {why}", why=odd)
            return {}

    def _again(self, envelope_id: str) -> str | None:
        """Note that an envelope came. Returns None the first time, then what acknowledged it, empty if nothing yet."""
        before = self._answers.get(envelope_id)
        if before is None:
            self._answers[envelope_id] = ""
            if len(self._answers) > REMEMBERED:
                del self._answers[next(iter(self._answers))]
        return before

    async def _answer(self, response: Any) -> None:  # noqa: ANN401 - the SDK's own, or a dict
        said = response.to_dict() if isinstance(response, SocketModeResponse) else response
        text, envelope = json.dumps(said), str(said.get("envelope_id"))
        if envelope in self._answers:
            self._answers[envelope] = text
        await self._acknowledge(envelope, text)

    async def _acknowledge(self, envelope: str, text: str) -> None:
        """Acknowledge an envelope over each connection that it came over: Slack repeats it where one of them broke."""
        came_over = [each for each in self._connections() if envelope in each.unanswered]
        # At once: one that stands still would take the time that Slack gives to all.
        await asyncio.gather(*(_send(each, text) for each in came_over))
        for connection in came_over:
            connection.unanswered.pop(envelope, None)
        self.answered.ring()


async def _send(connection: SocketConnection, text: str) -> None:
    """Send an acknowledgement while Slack waits for it; one that does not get through Slack asks for again elsewhere."""
    try:
        async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
            await connection.handler.client.send_message(text)
    except (aiohttp.ClientError, OSError) as error:  # of which TimeoutError is one
        why = str(error) or type(error).__name__
        logger.bind(error=why).debug("an acknowledgement did not reach Slack")
