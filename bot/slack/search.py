"""Whether Slack took a message after all: history is searched for it, and what is found there counts as posted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial

from loguru import logger

from bot.slack.claims import Claims
from bot.slack.client import Posted, SlackClient, posted_at
from bot.slack.composition import channel_of
from bot.slack.directory import Channels
from bot.slack.errors import Gone, Misconfigured, NotDone, OutcomeUnknown, SlackFailure, kept_for_good
from bot.slack.history import Found, find_delivery, find_file
from bot.slack.meters import SlackMeters
from bot.slack.rendered import Rendered
from bot.slack.renderers import render_lines
from bot.slack.unknown_outcomes import UncertainDeliveries
from bot.slack.uploads import Uploads, attempted_since
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Store, Tx

ANSWER_SECONDS = 3
ALL_WAITING = 1000
"""Messages of a thread that are looked through for those that were posted with a found one: more than ever do."""
STRAY = (
    "A line of a thread whose first message was deleted. What it says stands below the incident's new card."
)


async def take_back(client: SlackClient, channel_id: str, ts: str) -> None:
    """Remove a line from the channel: Slack puts it there, saying ok, where its thread's parent was deleted."""
    try:
        await client.delete(channel_id, ts)
    except SlackFailure as failure:
        if kept_for_good(failure):  # then it says where its thread went
            await client.edit(channel_id, ts, Rendered(text=STRAY))
            return
        # It may still stand there: look before the next attempt.
        raise OutcomeUnknown(failure.method, failure.code) from failure


async def in_its_thread(client: SlackClient, message: Message, posted: Posted) -> bool:
    """Whether a reply that was just posted stands in its thread, and not in the channel.

    Where the answer does not name the thread, the thread is looked at: a server that leaves out what Slack's own
    answers hold would else have every reply taken back and its card posted anew, without end. Where it cannot be
    looked at, an answer that shows the message as one of no thread is believed, and one that shows none is not doubted.
    """
    thread = message.parent_post_id
    if posted.thread_ts == thread:
        return True
    oldest = posted_at(thread) - client.clock_skew
    find = partial(find_delivery, client, posted.channel_id, message.delivery_id, oldest=oldest)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await find(thread_ts=thread) is not None
    except Gone:
        return False
    except (SlackFailure, TimeoutError):
        return posted.thread_ts is None


class Search:
    """Looks for messages whose outcome is not known; raises SlackFailure or StoreUnavailable where that fails."""

    def __init__(
        self,
        store: Store,
        client: SlackClient,
        channels: Channels,
        uploads: Uploads,
        *,
        claims: Claims,
        uncertain: UncertainDeliveries,
        clock: Clock,
        meters: SlackMeters,
    ) -> None:
        self._store = store
        self._client = client
        self._channels = channels
        self._uploads = uploads
        self._claims = claims
        self._uncertain = uncertain
        self._clock = clock
        self._meters = meters

    async def find(self, message: Message) -> tuple[str, Found | None]:
        """Return the channel that a message goes to, and the message there, None where a complete scan has it not.

        A copy that stands outside of its thread is taken back, and Gone is raised: its thread is gone.
        """
        channel = await self._channels.resolve(await self._store.read(lambda tx: channel_of(tx, message)))
        oldest = attempted_since(message) - self._client.clock_skew
        if message.kind is MessageKind.FILE:
            file_id = await self._uploads.known_file(message)
            if not file_id:
                return channel, None
            found = await find_file(
                self._client, channel, file_id, oldest=oldest, thread_ts=message.parent_post_id
            )
            return channel, None if found is None else Found(ts=file_id)
        find = partial(find_delivery, self._client, channel, message.delivery_id, oldest=oldest)
        try:
            return channel, await find(thread_ts=message.parent_post_id)
        except Gone:
            stray = await find()
            if stray is not None:
                await take_back(self._client, channel, stray.ts)
            raise

    async def adopt(self, message: Message, found: Found, channel: str) -> None:
        """Record a message that history showed, and the lines that were posted with it.

        It may be the first of several attempts, of which a later one is still under way: it is looked at again later.
        Lines that went on without it meanwhile stand elsewhere: they are taken out of it.
        """
        self._meters.found.inc()
        logger.bind(message=message.id, ts=found.ts).info("posted after all: history has it")
        also = set(found.payload.get("also") or ())
        if also and message.aside:
            shorter = await self._store.read(lambda tx: self._without_others(tx, message, also))
            if shorter is not None:
                await self._client.edit(channel, found.ts, shorter)
        revision = found.payload.get("revision")
        shown = revision if isinstance(revision, int) else 1
        now, recheck = self._clock.now(), self._uncertain.after_post(message, again=True)

        def record(tx: Tx) -> None:
            tx.outbox.posted(
                message.id, post_id=found.ts, channel_id=channel, revision=shown, now=now, recheck=recheck
            )
            if message.parent_id is None or not also:
                return
            for other in tx.outbox.unposted_in_thread(message.parent_id, ALL_WAITING):
                if other.delivery_id in also:
                    tx.outbox.posted(other.id, post_id=found.ts, channel_id=channel, revision=1, now=now)

        await self._claims.record(message, record)
        self._uncertain.over(message)

    def _without_others(self, tx: Tx, message: Message, also: Collection[str]) -> Rendered | None:
        """Return what a found message is to say without the lines that stand elsewhere; None: none of them does."""
        parent = message.parent_id
        waiting = [] if parent is None else tx.outbox.unposted_in_thread(parent, ALL_WAITING)
        mine = [other for other in waiting if other.delivery_id in also]
        return render_lines(tx, [message, *mine], self._clock.now()) if len(mine) < len(also) else None

    async def unaskable(self, failure: SlackFailure | TimeoutError) -> bool:
        """Whether a failed look means that Slack refuses this question, rather than that Slack is away."""
        if isinstance(failure, Misconfigured):
            return not (failure.whole_app or failure.elsewhere)
        unanswered = isinstance(failure, TimeoutError | OutcomeUnknown | NotDone)
        return unanswered and await self._answers()

    async def _answers(self) -> bool:
        """Whether Slack answers what costs it nothing."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._client.identity()
        except (SlackFailure, TimeoutError):
            return False
        return True
