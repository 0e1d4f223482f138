"""One message on its way: post it, edit it, or find out whether it was posted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from loguru import logger

from bot.slack.client import Posted, SlackClient
from bot.slack.composition import Composition, channel_of, compose
from bot.slack.copies import CLOCK_SKEW, Copies
from bot.slack.directory import Channels
from bot.slack.errors import (
    ContentRefused,
    Gone,
    Misconfigured,
    NotDone,
    OutcomeUnknown,
    SlackFailure,
    kept_for_good,
)
from bot.slack.history import Found, find_delivery, find_file
from bot.slack.meters import SlackMeters
from bot.slack.rendered import Rendered, Renderer
from bot.slack.renderers import doubted, plain_version, render_lines
from bot.slack.uncertain import DeliveryTimes, UncertainDeliveries
from bot.slack.uploads import Uploads, attempted_since
from triage.errors import StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Recheck, Store, Tx

SCAN_SECONDS, ANSWER_SECONDS = 8, 3
ALL_WAITING = 1000
"""Messages of a thread that are looked through for those that were posted with a found one: more than ever do."""
STRAY = (
    "A line of a thread whose first message was deleted. What it says stands below the incident's new card."
)


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of it; ``again_in`` seconds where the answer is not known yet; ``unasked``: no look came to an end."""

    done: bool
    again_in: float = 0.0
    unasked: bool = False


class Delivery:
    """Brings one claimed message to Slack; raises SlackFailure or StoreUnavailable where that fails."""

    def __init__(
        self,
        store: Store,
        client: SlackClient,
        channels: Channels,
        renderers: Mapping[MessageKind, Renderer],
        *,
        clock: Clock,
        meters: SlackMeters,
        times: DeliveryTimes | None = None,
    ) -> None:
        self._store = store
        self._client = client
        self._channels = channels
        self._renderers = renderers
        self._clock = clock
        self._meters = meters
        self.uncertain = UncertainDeliveries(clock, times or DeliveryTimes())
        self._uploads = Uploads(client, store)
        self._copies = Copies(client, meters)

    async def edit(self, message: Message) -> DeliveryOutcome:
        """Bring a message that Slack has to its latest truth."""
        composition = await self._compose(message)
        if await self._overtaken(message, composition):
            return DeliveryOutcome(done=True)
        if composition.rendered is not None:
            await self._edit(message, composition.rendered)
            self._meters.edits.labels(message.kind.value).inc()
        where = Posted(message.channel_id, message.post_id)
        await self._record(composition, where, posted=False, recheck=self.uncertain.after_edit(message))
        self.uncertain.over(message)
        return DeliveryOutcome(done=True)

    async def _edit(self, message: Message, rendered: Rendered) -> None:
        try:
            await self._client.edit(message.channel_id, message.post_id, rendered)
        except ContentRefused as refusal:
            self._say_plain(message, refusal)
            await self._client.edit(message.channel_id, message.post_id, plain_version(rendered))

    async def post(
        self,
        message: Message,
        *,
        again: bool = False,
        doubt: bool = False,
        composition: Composition | None = None,
    ) -> DeliveryOutcome:
        """Post a message that Slack has not; ``again``: as far as can be known, for an earlier attempt came to nothing.

        ``doubt``: nobody can look whether it did, and the message says so. ``composition``: what it says, where it
        was composed when it was claimed.
        """
        composition = composition or await self._compose(message)
        if await self._overtaken(message, composition):
            return DeliveryOutcome(done=True)
        posted = Posted(message.channel_id, "")
        if composition.rendered is not None:
            rendered = doubted(composition.rendered) if doubt else composition.rendered
            posted = await self._post(message, composition, rendered)
        recheck = self.uncertain.after_post(message, again=again)
        await self._record(composition, posted, posted=composition.rendered is not None, recheck=recheck)
        if composition.rendered is not None and message.parent_id is None:
            await self._channels.learn(message.channel, posted.channel_id)
        self.uncertain.over(message)
        return DeliveryOutcome(done=True, unasked=doubt)

    def place_of(self, message: Message) -> str:
        """Return the channel that a message stands in or goes to: its id where that is known."""
        return message.place or self._channels.known(message.channel) or message.channel

    async def moved(self, message: Message) -> bool:
        """Look whether the channel that refused a message is another one by now: made anew, or set anew."""
        before = self.place_of(message)
        try:
            return await self._channels.anew(message.channel) not in {"", before}
        except SlackFailure as failure:
            logger.bind(channel=message.channel, error=str(failure)).info("its channel is not found anew")
            return False

    async def _post(self, message: Message, composition: Composition, rendered: Rendered) -> Posted:
        channel = await self._channel_id(composition.channel)
        if rendered.file is not None:
            return await self._uploads.send(message, rendered.file, channel, rendered.text)
        payload, thread = composition.payload, message.parent_post_id
        try:
            posted = await self._client.post(channel, rendered, payload, thread_ts=thread)
        except ContentRefused as refusal:
            self._say_plain(message, refusal)
            posted = await self._client.post(channel, plain_version(rendered), payload, thread_ts=thread)
        if thread and posted.thread_ts != thread:
            await self._take_back(posted.channel_id, posted.ts)
            raise Gone("chat.postMessage", "thread_not_found")
        return posted

    async def _take_back(self, channel_id: str, ts: str) -> None:
        """Remove a line from the channel: Slack puts it there, saying ok, where its thread's parent was deleted."""
        try:
            await self._client.delete(channel_id, ts)
        except SlackFailure as failure:
            if kept_for_good(failure):  # then it says where its thread went
                await self._client.edit(channel_id, ts, Rendered(text=STRAY))
                return
            # It may still stand there: look before the next attempt.
            raise OutcomeUnknown(failure.method, failure.code) from failure

    async def settle(self, message: Message) -> DeliveryOutcome:
        """Find out whether an earlier attempt posted the message; post it where it certainly did not.

        An attempt can land after its connection died: a message is only missing when it is missing long enough
        after the last attempt has ended. Where Slack refuses to be asked, or does not answer that alone, it is posted
        once more when it has waited long enough: what is said twice is better than what nobody reads.
        """
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                channel, found = await self._find(message)
        except (SlackFailure, TimeoutError) as failure:
            if not (self.uncertain.past_patience(message) and await self._unaskable(failure)):
                raise
            return await self._again(message, doubt=True)
        if found is not None:
            await self._adopt(message, found, channel)
            return DeliveryOutcome(done=True)
        remaining = self.uncertain.remaining(message)
        if remaining > 0:
            return DeliveryOutcome(
                done=False, again_in=min(remaining, self.uncertain.times.look_every) + 0.05
            )
        return await self._again(message)

    async def _again(self, message: Message, *, doubt: bool = False) -> DeliveryOutcome:
        until = self.uncertain.begins(message)
        await self._store.write(lambda tx: tx.outbox.unsure(message.id, until))
        try:
            return await self.post(message, again=True, doubt=doubt)
        except (OutcomeUnknown, StoreUnavailable):
            if doubt:  # it may stand there now: one more copy is for after one more wait
                self.uncertain.waits_anew(message)
            raise

    async def _unaskable(self, failure: SlackFailure | TimeoutError) -> bool:
        """Whether a look that failed says that this cannot be asked, and not that Slack is away."""
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

    async def confirm(self, message: Message, recheck: Recheck) -> DeliveryOutcome:
        """Make sure of a message that Slack has: no second copy of it, and not an older text."""
        if recheck.post:
            async with asyncio.timeout(SCAN_SECONDS):
                kept = await self._copies.leave_one(message)
            if kept is not None and kept.ts != message.post_id and message.kind is not MessageKind.FILE:
                return await self._switch(message, kept, recheck)
        if message.attempted_at is not None:  # this was begun before, and what came of it is not known
            recheck = self.uncertain.after_edit(message) or recheck
        left = self.uncertain.after_look(recheck)
        composition = await self._compose(message) if recheck.edit else None
        if composition is None or composition.rendered is None or message.kind is MessageKind.LINE:
            await self._store.write(lambda tx: tx.outbox.confirmed(message.id, left))
            return DeliveryOutcome(done=True)
        await self._edit(message, composition.rendered)
        await self._record(
            composition, Posted(message.channel_id, message.post_id), posted=False, recheck=left
        )
        return DeliveryOutcome(done=True)

    async def _switch(self, message: Message, kept: Found, recheck: Recheck) -> DeliveryOutcome:
        """Go on with another copy of a message: people have answered below it, or ours was deleted."""
        revision, now, left = (
            kept.payload.get("revision"),
            self._clock.now(),
            self.uncertain.after_look(recheck),
        )
        shown = revision if isinstance(revision, int) else 1

        def switch(tx: Tx) -> None:
            channel = message.channel_id
            tx.outbox.posted(
                message.id, post_id=kept.ts, channel_id=channel, revision=shown, now=now, recheck=left
            )

        await self._store.write(switch)
        return DeliveryOutcome(done=True)

    async def _find(self, message: Message) -> tuple[str, Found | None]:
        channel = await self._channels.resolve(await self._store.read(lambda tx: channel_of(tx, message)))
        oldest = attempted_since(message) - CLOCK_SKEW
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
                await self._take_back(channel, stray.ts)
            raise

    async def _adopt(self, message: Message, found: Found, channel: str) -> None:
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
        now, recheck = self._clock.now(), self.uncertain.after_post(message, again=True)

        def record(tx: Tx) -> None:
            tx.outbox.posted(
                message.id, post_id=found.ts, channel_id=channel, revision=shown, now=now, recheck=recheck
            )
            if message.parent_id is None or not also:
                return
            for other in tx.outbox.unposted_in_thread(message.parent_id, ALL_WAITING):
                if other.delivery_id in also:
                    tx.outbox.posted(other.id, post_id=found.ts, channel_id=channel, revision=1, now=now)

        await self._store.write(record)
        self.uncertain.over(message)

    def _without_others(self, tx: Tx, message: Message, also: Collection[str]) -> Rendered | None:
        """Return what a found message is to say without the lines that stand elsewhere; None: none of them does."""
        parent = message.parent_id
        waiting = [] if parent is None else tx.outbox.unposted_in_thread(parent, ALL_WAITING)
        mine = [other for other in waiting if other.delivery_id in also]
        return render_lines(tx, [message, *mine], self._clock.now()) if len(mine) < len(also) else None

    def composed(self, tx: Tx, message: Message, now: datetime) -> Composition:
        """Return what a message says as a transaction sees it."""
        return compose(tx, message, now, self._renderers)

    async def _compose(self, message: Message) -> Composition:
        now = self._clock.now()
        return await self._store.read(lambda tx: self.composed(tx, message, now))

    async def _overtaken(self, message: Message, composition: Composition) -> bool:
        """Whether another replica, which took us for dead while we stood still, has posted the message since."""
        current = composition.stands_for[0]
        if current.post_id == message.post_id:
            return False
        await self._store.write(lambda tx: tx.outbox.confirmed(current.id, current.recheck))
        return True

    async def _channel_id(self, channel: str) -> str:
        """Return a channel's id; without the scope to look names up, Slack takes the name and answers the id."""
        try:
            return await self._channels.resolve(channel)
        except Misconfigured as error:
            if error.code != "missing_scope":
                raise
            return self._channels.target(channel)

    async def _record(
        self, composition: Composition, where: Posted, *, posted: bool, recheck: Recheck | None
    ) -> None:
        now, claimed = self._clock.now(), composition.stands_for[0]

        def record(tx: Tx) -> None:
            sure = recheck
            if _ts(tx, claimed) != claimed.post_id:  # another replica, which took us for dead, was faster
                sure = Recheck(now, post=True, edit=True)
                if claimed.post_id or all(_ts(tx, message) for message in composition.stands_for):
                    tx.outbox.confirmed(claimed.id, sure)  # its copy stays, ours is taken back
                    return
            for message in composition.stands_for:
                tx.outbox.posted(
                    message.id,
                    post_id=where.ts,
                    channel_id=where.channel_id,
                    revision=message.wanted_revision,
                    now=now,
                    recheck=sure if message is claimed else None,
                )

        await self._store.write(record)
        if posted:
            for message in composition.stands_for:
                self._meters.posted(message, (now - message.created_at).total_seconds())

    def _say_plain(self, message: Message, refusal: ContentRefused) -> None:
        self._meters.plain.inc()
        logger.bind(message=message.id, kind=message.kind.value, ref=message.ref, error=str(refusal)).error(
            "Slack refuses the blocks, sent as plain text"
        )


def _ts(tx: Tx, message: Message) -> str:
    """Return what Slack calls a message, as the store has it now."""
    stored = tx.outbox.get(message.id)
    return message.post_id if stored is None else stored.post_id
