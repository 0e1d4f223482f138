"""The loop that empties the outbox: woken at once, never asleep while something is due.

Every failure has one answer, here: which one it is was decided in ``errors``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from loguru import logger

from bot.slack.delivery import Delivery, Outcome
from bot.slack.errors import ContentRefused, Gone, Misconfigured, OutcomeUnknown, RateLimited, SlackFailure
from bot.slack.meters import SlackMeters
from bot.slack.pace import EDIT, LOOK, POST, UPLOAD, Pace
from triage.errors import StoreUnavailable
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Store, Tx

LEASE_SECONDS = 30.0
"""Longer than a scan, a post and its plain version together (8 s each), short enough that a crash delays little."""

LOOK_AFTER_SECONDS = 0.5
AT_ONCE, AT_ONCE_IN_CHANNEL = 16, 8
"""Deliveries under way; one slow channel does not get all of them."""

LONGEST_SLEEP = 5.0
"""Another replica may have asked for something and died before it sent it."""


class Sender:
    """Owns its deliveries: ``run`` ends when ``stop`` was called and what was under way is done.

    Ring the ``bell`` after a commit that asked for a message; ``beat`` is called each time the loop goes round.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        *,
        pace: Pace,
        clock: Clock,
        meters: SlackMeters,
        bell: Bell,
        owner: str,
        drain_seconds: float = 5.0,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._pace = pace
        self._clock = clock
        self._meters = meters
        self._owner = owner
        self._drain = drain_seconds
        self._bell = bell
        self._beat = beat
        self._stopping = False
        self._under_way: dict[int, Message] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.problems: dict[str, str] = {}
        """By channel, what a person must mend before its messages flow again; empty when all is well."""

    def stop(self) -> None:
        """Take nothing new; let what is under way end."""
        self._stopping = True
        self._bell.ring()

    async def run(self) -> None:
        """Send until stopped. Cancelling it gives back what was under way, as of unknown outcome."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while not self._stopping:
                    self._beat()
                    await self._round(tasks)
                if self._under_way:
                    await self._drained()
        finally:
            await self._give_back()

    async def _round(self, tasks: asyncio.TaskGroup) -> None:
        try:
            claimed, due = await self._claim()
        except StoreUnavailable as error:
            logger.bind(error=str(error)).warning("the outbox cannot be read, trying again")
            await self._sleep(1.0)
            return
        for message in claimed:
            self._under_way[message.id] = message
            task = tasks.create_task(
                self._deliver(message), name=f"deliver {message.kind.value} {message.id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(self._under_way) >= AT_ONCE or due is None:
            await self._sleep(LONGEST_SLEEP)
        else:
            await self._sleep((due - self._clock.now()).total_seconds())

    async def _claim(self) -> tuple[list[Message], datetime | None]:
        """Take what is due, and learn when to look again."""
        now, room = self._clock.now(), AT_ONCE - len(self._under_way)
        if room <= 0:
            return [], None

        def claim(tx: Tx) -> tuple[list[Message], datetime | None]:
            taken = tx.outbox.claim(now, owner=self._owner, lease_seconds=LEASE_SECONDS, limit=room)
            return taken, tx.outbox.next_at()

        return await self._store.write(claim)

    async def _sleep(self, seconds: float) -> None:
        await self._bell.wait(min(max(seconds, 0.0), LONGEST_SLEEP))

    async def _drained(self) -> None:
        deadline = self._clock.monotonic() + self._drain
        while self._under_way and self._clock.monotonic() < deadline:
            await self._sleep(deadline - self._clock.monotonic())
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, message: Message) -> None:
        """Deliver one message; nothing it meets ends the sender."""
        try:
            await self._attempt(message)
        except StoreUnavailable as error:
            # The lease ends by itself; by then what was posted is found in the history.
            logger.bind(message=message.id, error=str(error)).warning("the store did not take the outcome")
        except Exception as error:  # noqa: BLE001 - a mistake of ours: the message stays owed, others go on
            logger.bind(message=message.id, kind=message.kind.value).exception("delivery failed")
            with suppress(StoreUnavailable):  # then its lease ends by itself
                await self._defer(message, 30.0, error=f"{type(error).__name__}: {error}", unknown=True)
        self._under_way.pop(message.id, None)
        self._bell.ring()

    async def _attempt(self, message: Message) -> None:
        looking = not message.ts and message.attempted_at is not None
        wait = self._wait(message, looking=looking)
        if wait > 0:
            await self._defer(message, wait, unknown=looking, counted=False)
            return
        try:
            outcome = await self._act(message, looking=looking)
        except TimeoutError:
            await self._failed(message, OutcomeUnknown("conversations.history", "timeout"), looking=looking)
        except SlackFailure as failure:
            await self._failed(message, failure, looking=looking)
        else:
            self.problems.pop(message.channel, None)
            if not outcome.done:
                await self._defer(message, outcome.again_in, unknown=True, counted=False)

    async def _act(self, message: Message, *, looking: bool) -> Outcome:
        if message.ts:
            return await self._delivery.edit(message)
        return await (self._delivery.settle(message) if looking else self._delivery.post(message))

    def _wait(self, message: Message, *, looking: bool) -> float:
        if sum(other.channel == message.channel for other in self._under_way.values()) > AT_ONCE_IN_CHANNEL:
            return random.uniform(0.2, 0.4)  # noqa: S311 - jitter
        if message.ts:
            running = message.kind is MessageKind.ACTION
            return self._pace.edit(message.channel, message.id, urgent=running)
        if looking and (wait := self._pace.look(message.channel)) > 0:
            return wait
        method = UPLOAD if message.kind is MessageKind.FILE else POST
        first_word = message.kind in {MessageKind.CARD, MessageKind.ACTION} or looking
        return self._pace.post(method, message.channel, urgent=first_word)

    async def _failed(self, message: Message, failure: SlackFailure, *, looking: bool) -> None:
        self._meters.failures.labels(type(failure).__name__, failure.code).inc()
        log = logger.bind(message=message.id, kind=message.kind.value, error=str(failure))
        # A refusal of the post itself proves that it was not posted; one of the look proves nothing.
        looked_only = looking and failure.method.startswith("conversations.")
        match failure:
            case RateLimited():
                log.info("Slack asks to wait")
                method = LOOK if looked_only else EDIT if message.ts else failure.method
                self._pace.hold(method, message.channel, failure.retry_after)
                await self._defer(
                    message, failure.retry_after, error=str(failure), unknown=looked_only, counted=False
                )
            case OutcomeUnknown():
                log.warning("outcome unknown")
                wait = self._back_off(message) if message.ts or looked_only else LOOK_AFTER_SECONDS
                await self._defer(message, wait, error=str(failure), unknown=True)
            case Gone():
                log.warning("gone from Slack, posting anew")
                await self._post_anew(message, looked_only=looked_only)
            case Misconfigured():
                await self._misconfigured(message, failure, looked_only=looked_only)
            case _:
                log.warning("not done")
                wait = 60.0 if isinstance(failure, ContentRefused) else self._back_off(message)
                await self._defer(message, wait, error=str(failure), unknown=looked_only)

    async def _misconfigured(self, message: Message, failure: Misconfigured, *, looked_only: bool) -> None:
        if self.problems.get(message.channel) != str(failure):
            logger.bind(channel=message.channel, error=str(failure)).error("Slack messages wait for a mend")
        self.problems[message.channel] = str(failure)
        wait = min(120.0, 10.0 * 2 ** min(message.attempts, 5))
        self._pace.hold("*", "*" if failure.whole_app else message.channel, wait)
        await self._defer(message, wait, error=str(failure), unknown=looked_only)

    async def _post_anew(self, message: Message, *, looked_only: bool) -> None:
        """A deleted message is posted anew; under a deleted parent the parent first, the thread follows it."""
        now = self._clock.now()

        def anew(tx: Tx) -> None:
            if message.ts:
                tx.outbox.forget(message.id, now)
                return
            parent = tx.outbox.get(message.parent_id) if message.parent_id is not None else None
            if parent is not None and parent.ts == message.parent_ts:
                tx.outbox.forget(parent.id, now)
            later = now + timedelta(seconds=0 if parent is not None else 30)
            tx.outbox.defer(message.id, until=later, error="its thread is gone", counted=not looked_only)

        await self._store.write(anew)

    def _back_off(self, message: Message) -> float:
        return float(min(20.0, 0.5 * 2 ** min(message.attempts, 6)) * random.uniform(0.6, 1.0))  # noqa: S311 - jitter

    async def _defer(
        self,
        message: Message,
        seconds: float,
        *,
        error: str = "",
        unknown: bool = False,
        counted: bool = True,
    ) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._store.write(
            lambda tx: tx.outbox.defer(message.id, until=until, error=error, unknown=unknown, counted=counted)
        )

    async def _give_back(self) -> None:
        """Give back what was cut off, so that the next start need not wait for a lease to end."""
        cut_off, now = list(self._under_way.values()), self._clock.now()
        if not cut_off:
            return

        def give_back(tx: Tx) -> None:
            for message in cut_off:
                tx.outbox.defer(message.id, until=now, error="shut down", unknown=True, counted=False)

        try:
            await self._store.write(give_back)
        except StoreUnavailable as error:
            logger.bind(error=str(error)).warning("not given back: the leases will end by themselves")
