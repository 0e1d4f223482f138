"""Reading a channel back, to learn whether something was posted after all.

Only a scan that reached its end may say no: whoever believes an incomplete one posts twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.slack.client import EVENT_TYPE, SlackClient, cursor_of, list_of
from bot.slack.errors import OutcomeUnknown
from triage.model import Json

PAGE, PAGES = 200, 200


@dataclass(frozen=True, slots=True)
class Found:
    """A message of ours in the channel, with the payload of its metadata."""

    ts: str
    payload: Mapping[str, Json] = field(default_factory=dict)
    replies: int = 0


async def delivered(
    client: SlackClient, channel_id: str, delivery_id: str, *, oldest: datetime, thread_ts: str = ""
) -> list[Found]:
    """Return every message that was posted as this delivery: more than one where Slack did a call that we gave up.

    Raises SlackFailure where the scan could not be completed.
    """

    def ours(message: Mapping[str, Any]) -> bool:
        return _payload(message).get("delivery_id") == delivery_id

    return await _all(client, channel_id, ours, oldest=oldest, thread_ts=thread_ts)


async def shared(
    client: SlackClient, channel_id: str, file_id: str, *, oldest: datetime, thread_ts: str = ""
) -> list[Found]:
    """Return every message that shows a file; see ``delivered``."""
    return await _all(client, channel_id, _showing(file_id), oldest=oldest, thread_ts=thread_ts)


async def find_delivery(
    client: SlackClient, channel_id: str, delivery_id: str, *, oldest: datetime, thread_ts: str = ""
) -> Found | None:
    """Return the message that carries a delivery id, None after a complete scan without it.

    A message that stands for several deliveries names the others in ``also``. Raises SlackFailure where
    the scan could not be completed; a thread that is gone holds no message.
    """

    def ours(message: Mapping[str, Any]) -> bool:
        payload = _payload(message)
        return payload.get("delivery_id") == delivery_id or delivery_id in _others(payload)

    return await _find(client, channel_id, ours, oldest=oldest, thread_ts=thread_ts)


async def find_file(
    client: SlackClient, channel_id: str, file_id: str, *, oldest: datetime, thread_ts: str = ""
) -> Found | None:
    """Return the message that shows a file, None after a complete scan without it."""
    return await _find(client, channel_id, _showing(file_id), oldest=oldest, thread_ts=thread_ts)


def _showing(file_id: str) -> Callable[[Mapping[str, Any]], bool]:
    def shows(message: Mapping[str, Any]) -> bool:
        files = message.get("files")
        return isinstance(files, list) and any(
            isinstance(file, dict) and file.get("id") == file_id for file in files
        )

    return shows


async def _all(
    client: SlackClient,
    channel_id: str,
    matches: Callable[[Mapping[str, Any]], bool],
    *,
    oldest: datetime,
    thread_ts: str,
) -> list[Found]:
    found = {}
    async for message in _messages(client, channel_id, oldest=oldest, thread_ts=thread_ts):
        if matches(message):
            ts, replies = str(message["ts"]), message.get("reply_count")
            found[ts] = Found(ts, _payload(message), replies if isinstance(replies, int) else 0)
    return sorted(found.values(), key=lambda one: one.ts)


async def _find(
    client: SlackClient,
    channel_id: str,
    matches: Callable[[Mapping[str, Any]], bool],
    *,
    oldest: datetime,
    thread_ts: str,
) -> Found | None:
    async for message in _messages(client, channel_id, oldest=oldest, thread_ts=thread_ts):
        if matches(message):
            return Found(ts=str(message["ts"]), payload=_payload(message))
    return None


async def _messages(
    client: SlackClient, channel_id: str, *, oldest: datetime, thread_ts: str
) -> AsyncIterator[Mapping[str, Any]]:
    method = "conversations.replies" if thread_ts else "conversations.history"
    cursor: str | None = None
    for _ in range(PAGES):
        answer = await client.read(
            method,
            channel=channel_id,
            ts=thread_ts or None,
            oldest=f"{oldest.timestamp():.6f}",
            limit=PAGE,
            cursor=cursor,
            include_all_metadata=True,
        )
        for message in list_of(answer, "messages", method):
            if isinstance(message, dict) and isinstance(message.get("ts"), str):
                yield message
        cursor = cursor_of(answer)
        if not cursor:
            if answer.get("has_more"):
                raise OutcomeUnknown(method, "incomplete_scan", "more messages, but no cursor")
            return
    raise OutcomeUnknown(method, "incomplete_scan", f"more than {PAGE * PAGES} messages")


def _others(payload: Mapping[str, Json]) -> list[Json]:
    """Return the deliveries that a message stands for beside its own."""
    also = payload.get("also")
    return also if isinstance(also, list) else []


def _payload(message: Mapping[str, Any]) -> Mapping[str, Json]:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return {}
    payload = metadata.get("event_payload")
    return payload if isinstance(payload, dict) else {}
