"""Deletes the extra copies of a message that Slack posted late, so that one message stays one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from bot.slack.claims import Claims
from bot.slack.client import SlackClient, posted_at
from bot.slack.errors import Gone, SlackFailure, kept_for_good
from bot.slack.history import Found, delivered, shared
from bot.slack.meters import SlackMeters
from bot.slack.rendered import Rendered
from triage.ports.store import Message, MessageKind


@dataclass(frozen=True, slots=True)
class CopyChoice:
    """Which copy stays, which are taken back, and which stay because people have answered below them."""

    keep: Found | None
    remove: tuple[Found, ...] = ()
    mark: tuple[Found, ...] = ()


def choose(copies: Sequence[Found], ours: str) -> CopyChoice:
    """Decide which of the copies of one message stays: the one with replies, else the one we know (its ts)."""
    known = next((copy for copy in copies if copy.ts == ours), None)
    answered = [copy for copy in copies if copy.replies]
    keep = known
    if answered and (known is None or not known.replies):
        keep = answered[0]
    keep = keep or next(iter(copies), None)
    others = [copy for copy in copies if copy is not keep]
    return CopyChoice(
        keep,
        tuple(copy for copy in others if not copy.replies),
        tuple(copy for copy in others if copy.replies),
    )


class Copies:
    """Looks for copies of a message and leaves one."""

    def __init__(self, client: SlackClient, claims: Claims, meters: SlackMeters) -> None:
        self._client = client
        self._claims = claims
        self._meters = meters

    async def leave_one(self, message: Message, since: datetime | None = None) -> Found | None:
        """Take extra copies of a message back. Returns the one that stays, None where there is none.

        ``since``: only what came since then is looked at; beside it the one that we know stays, as if it had replies.
        Raises SlackFailure where that could not be done: it has to be done again.
        """
        copies = await self._find(message, since)
        if since is not None and copies and all(copy.ts != message.post_id for copy in copies):
            copies = [Found(message.post_id, replies=1), *copies]
        choice = choose(copies, message.post_id)
        strays = await self._strays(message, since)
        await self._claims.begin(message)  # another process may go on with another copy by now
        for extra in (*choice.remove, *(stray for stray in strays if not stray.replies)):
            logger.bind(message=message.id, ts=extra.ts).warning(
                "Slack posted it twice, the extra is taken back"
            )
            try:
                await self._client.delete(message.channel_id, extra.ts)
            except SlackFailure as failure:
                if not kept_for_good(failure):
                    raise
                await self._mark(message, extra)
            self._meters.taken_back.inc()
        for extra in (*choice.mark, *(stray for stray in strays if stray.replies)):
            await self._mark(message, extra)
        return choice.keep

    async def _strays(self, message: Message, since: datetime | None) -> list[Found]:
        """Return the copies of a thread's message that stand in the channel: Slack puts a line of a deleted thread there.

        None where the thread's first message is older than this one: it was not posted anew since.
        """
        thread, skew = message.parent_post_id, self._client.clock_skew
        if not thread or message.kind is MessageKind.FILE or posted_at(thread) + skew < message.created_at:
            return []
        oldest = (since or message.created_at) - skew
        found = await delivered(self._client, message.channel_id, message.delivery_id, oldest=oldest)
        return [copy for copy in found if copy.ts != message.post_id]

    async def _mark(self, message: Message, extra: Found) -> None:
        """Let a copy that stays say what it is."""
        number = f"INC-{message.incident_id}" if message.incident_id else "this message"
        text = f"A second copy of {number}, which Slack posted late. What is true stands in the other one."
        await self._client.edit(message.channel_id, extra.ts, Rendered(text=text))

    async def _find(self, message: Message, since: datetime | None) -> list[Found]:
        oldest = (since or message.created_at) - self._client.clock_skew
        try:
            if message.kind is MessageKind.FILE:  # of a file we know no ts, but its id
                return await shared(
                    self._client,
                    message.channel_id,
                    message.post_id,
                    oldest=oldest,
                    thread_ts=message.parent_post_id,
                )
            return await delivered(
                self._client,
                message.channel_id,
                message.delivery_id,
                oldest=oldest,
                thread_ts=message.parent_post_id,
            )
        except Gone:  # its thread was deleted: nothing stands there twice
            return []
