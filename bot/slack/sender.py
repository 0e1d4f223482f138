"""The loop that empties the outbox: woken by each commit that owes a message, and waiting only while nothing is due.

What to do about a failure is in ``failure_handling``; which failure it is was decided in ``errors``.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from loguru import logger

from bot.slack.claims import ClaimLost
from bot.slack.composition import Composition
from bot.slack.delivery import Delivery, DeliveryOutcome
from bot.slack.errors import OutcomeUnknown, SlackFailure
from bot.slack.failure_handling import DeliveryAttempt, FailureHandling
from bot.slack.meters import SlackMeters
from bot.slack.problems import Problems
from bot.slack.rate_limits import LOOK, RANKS, RateLimiter
from triage.concurrency import FAULTS, is_stop
from triage.errors import NotStored, StoreUnavailable
from triage.incidents.notifications import LINE_URGENCY
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Store, Tx
from triage.untrusted_text import fault_words

LEASE_SECONDS = 30.0
"""Longer than a scan, a post and its plain version together (8 s each), short enough that a crash delays little."""

AT_ONCE, AT_ONCE_IN_CHANNEL = 16, 8
"""Deliveries under way; one slow channel does not get all of them."""

LONGEST_SLEEP = 5.0
"""Another replica may have asked for something and died before it sent it."""
AWAY_SECONDS = 1.0
"""How often a store that is away is asked again."""


@dataclass(frozen=True, slots=True)
class _ClaimedMessages:
    """What was claimed, most urgent first, when to look again, and by id what a message says that is composed already."""

    messages: list[Message]
    due: datetime | None = None
    composed: Mapping[int, Composition] = field(default_factory=dict)


class Sender:
    """Owns its deliveries: ``run`` ends when ``stop`` was called and what was under way is done.

    Ring the ``bell`` after a commit that asked for a message; ``beat`` is called each time the loop goes round.
    """

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        *,
        pace: RateLimiter,
        clock: Clock,
        meters: SlackMeters,
        bell: Bell,
        drain_seconds: float = 5.0,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._pace = pace
        self._clock = clock
        self._problems = Problems(clock)
        self._failures = FailureHandling(
            store, delivery, pace=pace, clock=clock, meters=meters, problems=self._problems
        )
        self._claims = delivery.claims
        self._drain = drain_seconds
        self._bell = bell
        self._beat = beat
        self._stopping = False
        self._under_way: dict[int, Message] = {}
        self._next: dict[int, Message] = {}
        """What was claimed once more while it is under way: its outcome was just stored, or its lease has ended."""
        self._holds_unknown = False
        """Whether the store may have messages as ours that are not under way, and nobody knows what came of them."""
        self._unsaid: deque[datetime] = deque(maxlen=16)
        """The times of claims of which the store did not say that it gave us messages: nothing of those was begun."""
        self._composes_ahead = True
        """Not right after a claim that failed: what cannot be read for one card must not keep others from being claimed."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._away = False
        """Whether the last claim failed."""
        self._unclaimed = ""
        """Why no message can be claimed though it is stored: a damaged database gives none out."""
        self._untold = _Untold()

    @property
    def problems(self) -> dict[str, str]:
        """By place, what a person must mend before its messages flow again; empty when all is well."""
        return self._problems.current()

    @property
    def blocked(self) -> str:
        """Why nobody learns of a new incident though it is stored: the database is damaged. Empty where they do."""
        return self._unclaimed or self._untold.why

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
                    await self._safe_round(tasks)
                if self._under_way:
                    await self._drained()
        finally:
            await self._give_back()

    async def _safe_round(self, tasks: asyncio.TaskGroup) -> None:
        """Go round once. What that fails by ends no delivery under way."""
        try:
            await self._round(tasks)
        except FAULTS as error:
            if is_stop(error):
                raise
            logger.opt(exception=error).error("no messages are claimed; it goes on")
            self._problems.say("claim", f"no messages are claimed: {fault_words(error)}")
            await self._sleep(AWAY_SECONDS)

    async def _round(self, tasks: asyncio.TaskGroup) -> None:
        try:
            whole = await self._claims.store_kept()
            self._holds_unknown |= not whole  # in two steps: a delivery may have noted so meanwhile
            claim = await self._claim()
        except StoreUnavailable as error:
            self._unclaimed = str(error) if error.damaged else self._unclaimed
            level = "DEBUG" if self._away else "WARNING"  # said once, and again after it was back
            logger.bind(error=str(error)).log(level, "the outbox cannot be read, trying again")
            self._away = True
            await self._sleep(AWAY_SECONDS)
            return
        self._unclaimed, self._away = "", False
        for message in claim.messages:
            if message.id in self._under_way:
                self._next[message.id] = message
                continue
            self._under_way[message.id] = message
            task = tasks.create_task(
                self._deliver(message, claim.composed.get(message.id)),
                name=f"deliver {message.kind.value} {message.id}",
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Before it sleeps: until then it would be said, with nothing owed for seconds.
        self._problems.over("claim")
        if len(self._under_way) >= AT_ONCE or claim.due is None:
            await self._sleep(LONGEST_SLEEP)
        else:
            await self._sleep((claim.due - self._clock.now()).total_seconds())

    async def _claim(self) -> _ClaimedMessages:
        """Take what is due, and learn when to look again."""
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return _ClaimedMessages([])

        under_way, unsaid = frozenset(self._under_way) | self._claims.kept, tuple(self._unsaid)
        give_back = self._holds_unknown or bool(unsaid)
        ahead, self._composes_ahead = self._composes_ahead, False

        def claim(tx: Tx) -> _ClaimedMessages:
            now = (
                self._clock.now()
            )  # when it runs: what a unit before it in the same commit owes is due by then
            self._unsaid.append(now)
            if give_back:
                error = "its outcome was not stored"
                tx.outbox.give_back(self._claims.owner, but=under_way, now=now, error=error, unbegun=unsaid)
            taken = tx.outbox.claim(
                now,
                owner=self._claims.owner,
                lease_seconds=LEASE_SECONDS,
                limit=room,
                unsure_seconds=self._delivery.uncertain.times.longest,
            )
            new = [message for message in taken if _is_new_card(message)]
            lone = new if ahead and len(new) == 1 else []
            composed = {message.id: self._delivery.composed(tx, message, now) for message in lone}
            # Of what is as urgent it goes first: the others are still to be composed.
            taken.sort(key=lambda message: (message.urgency, message.id not in composed))
            return _ClaimedMessages(taken, tx.outbox.next_at(), composed)

        self._holds_unknown, began = False, self._clock.monotonic()
        try:
            claimed = await self._store.write(claim)
        except BaseException as error:  # it may be claimed for us without our knowing
            self._holds_unknown |= give_back
            if isinstance(error, NotStored):
                self._unsaid = deque(unsaid, maxlen=16)
            raise
        self._composes_ahead = True
        self._unsaid.clear()
        self._claims.took((one for one in claimed.messages if one.id not in self._under_way), began)
        return claimed

    async def _sleep(self, seconds: float) -> None:
        await self._bell.wait(min(max(seconds, 0.0), LONGEST_SLEEP))

    async def _drained(self) -> None:
        deadline = self._clock.monotonic() + self._drain
        while self._under_way and self._clock.monotonic() < deadline:
            await self._sleep(deadline - self._clock.monotonic())
        for task in self._tasks:
            task.cancel()

    async def _deliver(self, message: Message, composition: Composition | None) -> None:
        """Deliver one message, and again what was claimed of it meanwhile, where that is still ours then."""
        await self._deliver_once(message, composition)
        while (again := self._next.pop(message.id, None)) is not None:
            self._under_way[message.id] = again
            self._claims.doubts(again)
            await self._deliver_once(again, None)
        self._under_way.pop(message.id, None)
        self._bell.ring()

    async def _deliver_once(self, message: Message, composition: Composition | None) -> None:
        """Deliver one message; nothing it meets ends the sender. ``composition``: what it says, where that is known."""
        try:
            await self._attempt(message, composition)
        except ClaimLost:
            logger.bind(message=message.id).warning("not sent: its claim is over, or another replica's")
        except StoreUnavailable as error:
            self._store_later(message, error)
            level = "DEBUG" if error.damaged else "WARNING"  # damage is said once, by the store
            logger.bind(message=message.id, error=str(error)).log(level, "the store did not take the outcome")
            if error.damaged and _is_unposted_card(message):
                self._untold.kept(message, str(error))
        except FAULTS as error:  # of ours: the message stays owed, others go on
            if is_stop(error):
                raise
            logger.bind(message=message.id, kind=message.kind.value).exception("delivery failed")
            about = f"INC-{message.incident_id}: " if message.incident_id else ""
            self._problems.say(f"message {message.id}", f"{about}{fault_words(error)}")
            await self._put_off(message, error)
        self._claims.over(message)

    async def _put_off(self, message: Message, error: BaseException) -> None:
        """Keep a message that we failed on owed for later. Where not even that can be done its lease ends by itself."""
        unsure = replace(message, attempted_at=message.attempted_at or self._clock.now())
        try:
            await self._failures.defer(
                DeliveryAttempt(unsure), 30.0, error=f"{type(error).__name__}: {error}"
            )
        except StoreUnavailable as away:
            logger.bind(message=message.id, error=str(away)).debug("left claimed")
        except FAULTS as second:
            if is_stop(second):
                raise
            logger.bind(message=message.id).opt(exception=second).error("left claimed")

    def _store_later(self, message: Message, error: StoreUnavailable) -> None:
        """Have what is known of a delivery stored once the store is back; of what is not known, whoever takes it looks."""
        if message.id in self._claims.kept:
            return
        if error.damaged or self._claims.has_begun(message):
            self._holds_unknown = True
            return
        self._claims.keep(message, partial(_not_begun, message=message, now=self._clock.now()))

    async def _attempt(self, message: Message, composition: Composition | None) -> None:
        if message.attempted_at is None:  # what was in doubt of it is over, whoever settled it
            self._delivery.uncertain.over(message)
        attempt = DeliveryAttempt(
            message,
            looking=not message.post_id and message.attempted_at is not None,
            confirming=bool(message.post_id) and not message.owed and message.recheck is not None,
        )
        wait = self._wait(attempt)
        if wait > 0:
            await self._failures.defer(attempt, wait, counted=False)
            return
        try:
            outcome = await self._act(attempt, composition)
        except TimeoutError:
            await self._failures.answer(attempt, OutcomeUnknown("conversations.history", "timeout"))
        except SlackFailure as failure:
            await self._failures.answer(attempt, failure)
        else:
            await self._failures.succeeded(attempt, done=outcome.done, looked=not outcome.unasked)
            if outcome.done and _is_unposted_card(message):
                self._untold.posted(message)
            if not outcome.done:
                await self._failures.defer(attempt, outcome.again_in, counted=False)

    async def _act(self, attempt: DeliveryAttempt, composition: Composition | None) -> DeliveryOutcome:
        message = attempt.message
        if attempt.confirming and message.recheck is not None:
            return await self._delivery.confirm(message, message.recheck)
        if message.post_id:
            return await self._delivery.edit(message)
        if attempt.looking:
            return await self._delivery.settle(message)
        return await self._delivery.post(message, composition=composition)

    def _wait(self, attempt: DeliveryAttempt) -> float:
        message, place = attempt.message, self._delivery.place_of(attempt.message)
        if sum(other.channel == message.channel for other in self._under_way.values()) > AT_ONCE_IN_CHANNEL:
            return random.uniform(0.2, 0.4)  # noqa: S311 - jitter
        looks = attempt.looking or (
            attempt.confirming and message.recheck is not None and message.recheck.post
        )
        if looks and not self._unaskable(attempt, place) and (wait := self._pace.look(place)) > 0:
            return wait
        if message.post_id:
            running = message.kind is MessageKind.ACTION
            return self._pace.edit(place, message.id, urgent=running, card=follows_many(message))
        return self._pace.post(attempt.method, place, urgent=is_urgent(message), rank=rank_of(message))

    def _unaskable(self, attempt: DeliveryAttempt, place: str) -> bool:
        """Whether a message waits no longer for a look at a place that refuses them: it is posted once more."""
        return (
            attempt.looking
            and self._pace.refuses(LOOK, place)
            and self._delivery.uncertain.past_patience(attempt.message)
        )

    async def _give_back(self) -> None:
        """Give back what was cut off, so that the next start need not wait for a lease to end."""
        if not (self._under_way or self._holds_unknown or self._unsaid or self._claims.kept):
            return
        now, unsaid = self._clock.now(), tuple(self._unsaid)

        def give_back(tx: Tx) -> None:
            tx.outbox.give_back(self._claims.owner, but=(), now=now, error="shut down", unbegun=unsaid)

        try:
            await self._claims.store_kept()
            await self._store.write(give_back)
        except StoreUnavailable as error:
            logger.bind(error=str(error)).warning("not given back: the leases will end by themselves")


def _not_begun(tx: Tx, *, message: Message, now: datetime) -> None:
    unknown = message.attempted_at is not None
    tx.outbox.defer(message.id, until=now, error="the store was away", unknown=unknown, counted=False)


@dataclass(slots=True)
class _Untold:
    """Whether the newest cards can be composed. One of before that cannot costs only itself."""

    why: str = ""
    newest: int = 0

    def kept(self, card: Message, why: str) -> None:
        """Note that a damaged database keeps a new card from being composed."""
        if card.id >= self.newest:
            self.newest, self.why = card.id, why

    def posted(self, card: Message) -> None:
        """Note that a card was posted."""
        if card.id >= self.newest:
            self.newest, self.why = card.id, ""


def _is_unposted_card(message: Message) -> bool:
    return message.kind is MessageKind.CARD and not message.post_id


def _is_new_card(message: Message) -> bool:
    return _is_unposted_card(message) and message.attempted_at is None


def is_urgent(message: Message) -> bool:
    """Whether a post waits for Slack's own 429 alone: what is new, or a line shown in the channel too."""
    first_word = message.kind in {MessageKind.CARD, MessageKind.ACTION}
    return first_word or (message.kind is MessageKind.LINE and message.urgency < LINE_URGENCY)


def follows_many(message: Message) -> bool:
    """Whether a message changes with each of many alerts: its edits would leave none for the others."""
    return message.kind in {MessageKind.CARD, MessageKind.ROLL}


def rank_of(message: Message) -> int:
    """Return the place of a post among those that wait for their turn: by urgency, then what explains all of it.

    Of one urgency what nobody knows yet goes first: cards, then lines, then the summary of a grave incident.
    """
    within = _WITHIN_URGENCY.get(message.kind)
    if within is None and message.urgency > 1:
        return RANKS + 1
    return 3 * message.urgency + (2 if within is None else within)


_WITHIN_URGENCY = {MessageKind.CARD: 0, MessageKind.ACTION: 0, MessageKind.LINE: 1, MessageKind.ROLL: 1}
