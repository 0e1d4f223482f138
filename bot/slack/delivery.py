"""One message on its way: post it, edit it, or find out whether it was posted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from loguru import logger

from bot.slack.claims import Claims
from bot.slack.client import Posted, SlackClient
from bot.slack.composition import Composition, compose
from bot.slack.directory import Channels
from bot.slack.duplicates import Copies
from bot.slack.errors import (
    ContentRefused,
    Gone,
    OutcomeUnknown,
    SlackFailure,
)
from bot.slack.history import Found
from bot.slack.meters import SlackMeters
from bot.slack.rendered import Rendered, Renderer
from bot.slack.renderers import doubted, plain_version
from bot.slack.search import Search, in_its_thread, take_back
from bot.slack.unknown_outcomes import DeliveryTimes, UncertainDeliveries
from bot.slack.uploads import Uploads
from triage.errors import StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Recheck, Store, Tx

SCAN_SECONDS = 8


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
        owner: str,
        times: DeliveryTimes | None = None,
    ) -> None:
        self._store = store
        self.claims = Claims(store, clock, owner)
        self._client = client
        self._channels = channels
        self._renderers = renderers
        self._clock = clock
        self._meters = meters
        self.uncertain = UncertainDeliveries(clock, times or DeliveryTimes())
        self._uploads = Uploads(client, store, self.claims)
        self._copies = Copies(client, self.claims, meters)
        self._search = Search(
            store,
            client,
            channels,
            self._uploads,
            claims=self.claims,
            uncertain=self.uncertain,
            clock=clock,
            meters=meters,
        )

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
        await self.claims.begin(message)
        try:
            await self._client.edit(message.channel_id, message.post_id, rendered)
        except ContentRefused as refusal:
            self._say_plain(message, refusal)
            await self.claims.begin(message)
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
        await self.claims.begin(message)
        try:
            posted = await self._client.post(channel, rendered, payload, thread_ts=thread)
        except ContentRefused as refusal:
            self._say_plain(message, refusal)
            await self.claims.begin(message)
            posted = await self._client.post(channel, plain_version(rendered), payload, thread_ts=thread)
        if thread and not await in_its_thread(self._client, message, posted):
            await take_back(self._client, posted.channel_id, posted.ts)
            raise Gone("chat.postMessage", "thread_not_found")
        return posted

    async def settle(self, message: Message) -> DeliveryOutcome:
        """Find out whether an earlier attempt posted the message; post it where it certainly did not.

        An attempt can land after its connection died: a message is only missing when it is missing long enough
        after the last attempt has ended. Where Slack refuses to be asked, or does not answer that alone, it is posted
        once more when it has waited long enough: what is said twice is better than what nobody reads.
        """
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                channel, found = await self._search.find(message)
        except (SlackFailure, TimeoutError) as failure:
            if not (self.uncertain.past_patience(message) and await self._search.unaskable(failure)):
                raise
            return await self._again(message, doubt=True)
        if found is not None:
            await self._search.adopt(message, found, channel)
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

    async def confirm(self, message: Message, recheck: Recheck) -> DeliveryOutcome:
        """Make sure of a message that Slack has: no second copy of it, and not an older text."""
        if message.attempted_at is None and not self.uncertain.is_look(recheck):
            await self._confirmed(message, self.uncertain.after_look(recheck))
            return DeliveryOutcome(done=True)
        begun = self._clock.now()
        if recheck.post:
            since = self.uncertain.unseen_since(recheck)
            async with asyncio.timeout(SCAN_SECONDS):
                kept = await self._copies.leave_one(message, since)
            recheck = replace(recheck, looked_at=begun)
            if kept is not None and kept.ts != message.post_id and message.kind is not MessageKind.FILE:
                return await self._switch(message, kept, recheck)
        if message.attempted_at is not None:  # this was begun before, and what came of it is not known
            recheck = self.uncertain.after_edit(message) or recheck
        left = self.uncertain.after_look(recheck)
        composition = await self._compose(message) if recheck.edit else None
        if composition is None or composition.rendered is None or message.kind is MessageKind.LINE:
            await self._confirmed(message, left)
            return DeliveryOutcome(done=True)
        await self._edit(message, composition.rendered)
        await self._record(
            composition, Posted(message.channel_id, message.post_id), posted=False, recheck=left
        )
        return DeliveryOutcome(done=True)

    async def _confirmed(self, message: Message, left: Recheck | None) -> None:
        await self.claims.record(message, lambda tx: tx.outbox.confirmed(message.id, left))

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

        await self.claims.record(message, switch)
        return DeliveryOutcome(done=True)

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
        await self._confirmed(current, current.recheck)
        return True

    async def _channel_id(self, channel: str) -> str:
        """Return a channel's id; where Slack does not look its name up, it takes the name and answers the id."""
        try:
            return await self._channels.resolve(channel)
        except SlackFailure as failure:
            logger.bind(channel=channel, error=str(failure)).info("its id is not known, posting by its name")
            return self._channels.target(channel)

    async def _record(
        self, composition: Composition, where: Posted, *, posted: bool, recheck: Recheck | None
    ) -> None:
        now, claimed = self._clock.now(), composition.stands_for[0]

        def record(tx: Tx) -> None:
            sure = recheck
            # Another replica, which took us for dead, was faster. Our own post is there after a commit without an answer.
            if _ts(tx, claimed) not in {claimed.post_id, where.ts}:
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

        if posted:
            for message in composition.stands_for:
                self._meters.posted(message, (now - message.created_at).total_seconds())
        await self.claims.record_anyway(claimed, record)

    def _say_plain(self, message: Message, refusal: ContentRefused) -> None:
        self._meters.plain.inc()
        logger.bind(message=message.id, kind=message.kind.value, ref=message.ref, error=str(refusal)).error(
            "Slack refuses the blocks, sent as plain text"
        )


def _ts(tx: Tx, message: Message) -> str:
    """Return what Slack calls a message, as the store has it now."""
    stored = tx.outbox.get(message.id)
    return message.post_id if stored is None else stored.post_id
