"""What to do about a message that did not get through: each failure has one answer, here.

Which failure it is was decided in ``errors``. A refusal binds the message's own place and no other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from loguru import logger

from bot.slack import probes
from bot.slack.delivery import Delivery
from bot.slack.errors import (
    ContentRefused,
    Gone,
    Misconfigured,
    NotDone,
    OutcomeUnknown,
    RateLimited,
    SlackFailure,
    UnknownWord,
)
from bot.slack.left_open import leave_open
from bot.slack.meters import SlackMeters
from bot.slack.probes import Probes, longer_wait
from bot.slack.problems import Problems
from bot.slack.rate_limits import EDIT, LOOK, POST, THREAD, UPLOAD, RateLimiter
from bot.slack.refusal_words import CLOSED
from triage.ports.clock import Clock
from triage.ports.store import Message, MessageKind, Store, Tx

DELETE = "chat.delete"
DELETED = frozenset({"message_not_found", "thread_not_found"})
LOOK_AFTER_SECONDS, LONGEST_LOOK_SECONDS = 0.5, 3.0
LONGEST_BACK_OFF = 20.0
LONG_WAIT_SECONDS = 30.0
"""A wait that Slack asks for and that people notice: it is said."""
UNKNOWN_SECONDS, UNKNOWN_ATTEMPTS = 60.0, 8
"""What has no answer for so long, or so often, is said: Slack's own troubles have passed by then, mostly."""
PASSING = frozenset({"service_unavailable", "unreachable", "message_limit_exceeded", "no_session"})
"""What is not done because Slack is away or busy: no person has to mend it."""


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """What was tried: ``looking`` for what an earlier attempt did, or ``confirming`` what is in doubt."""

    message: Message
    looking: bool = False
    confirming: bool = False

    @property
    def method(self) -> str:
        """What Slack's limits and refusals bind, beside the channel."""
        if self.message.post_id:
            return EDIT
        if self.message.kind is MessageKind.FILE:
            return UPLOAD
        return THREAD if self.message.parent_id is not None else POST

    @property
    def unknown(self) -> bool:
        """Whether an earlier attempt may still take effect: a refusal of this one says nothing about that one."""
        return self.looking or self.message.attempted_at is not None


class FailureHandling:
    """Defers, posts anew, says what to mend."""

    def __init__(
        self,
        store: Store,
        delivery: Delivery,
        *,
        pace: RateLimiter,
        clock: Clock,
        meters: SlackMeters,
        problems: Problems,
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._pace = pace
        self._clock = clock
        self._meters = meters
        self._problems = problems
        self._probes = Probes(clock)
        self._limited: dict[str, float] = {}
        """By place, since when Slack asks for nothing but to wait there."""

    async def answer(self, attempt: DeliveryAttempt, failure: SlackFailure) -> None:
        """Do what a failure asks for."""
        message = attempt.message
        self._meters.failures.labels(type(failure).__name__, failure.code).inc()
        log = logger.bind(message=message.id, kind=message.kind.value, error=str(failure))
        looked = failure.method.startswith("conversations.")
        match failure:
            case RateLimited():
                log.info("Slack asks to wait")
                await self._hold(attempt, failure, looked=looked)
            case OutcomeUnknown():
                log.warning("outcome unknown")
                await self._unknown(attempt, failure, looked=looked)
            case Gone():
                log.warning("gone from Slack, posting anew")
                if failure.code in CLOSED:
                    self._problems.say(f"edits {failure.code}", f"{failure} ({CLOSED[failure.code]})")
                await self._post_anew(message, keep=attempt.unknown, deleted=failure.code in DELETED)
            case Misconfigured():
                await self._misconfigured(attempt, failure, looked=looked)
            case _:
                log.warning("not done")
                await self._refused(attempt, failure, looked=looked)

    def _unknown_long(self, message: Message) -> bool:
        since = message.attempted_at
        long = since is not None and self._clock.now() - since >= timedelta(seconds=UNKNOWN_SECONDS)
        return long or message.attempts >= UNKNOWN_ATTEMPTS

    async def succeeded(self, attempt: DeliveryAttempt, *, done: bool, looked: bool = True) -> None:
        """Forget what was wrong at a message's place, and with the message itself where all of it is ``done``.

        ``looked``: what was to be looked at was. What else waited for the mend is due now.
        """
        message = attempt.message
        place = self._delivery.place_of(message)
        looked = looked and (attempt.looking or (message.recheck is not None and message.recheck.post))
        places = ["app", _key(attempt.method, message), *([_key(LOOK, message)] if looked else [])]
        self._problems.over(*places, *([f"message {message.id}"] if done else []))
        self._pace.release(attempt.method, place)
        for key in places:
            self._limited.pop(key, None)
        for error in self._probes.over(*places):
            now = self._clock.now()
            await self._store.write(partial(_hasten, error=error, now=now))

    async def _hold(self, attempt: DeliveryAttempt, failure: RateLimited, *, looked: bool) -> None:
        method = LOOK if looked else POST if attempt.method == THREAD else attempt.method
        message = attempt.message
        self._pace.limited(method, self._delivery.place_of(message), failure.retry_after)
        key, now = _key(LOOK if looked else attempt.method, message), self._clock.monotonic()
        waited = now - self._limited.setdefault(key, now)
        if max(failure.retry_after, waited) >= LONG_WAIT_SECONDS:
            self._problems.say(key, _words(message, failure, at_place=bool(message.place)))
        await self.defer(attempt, failure.retry_after, error=str(failure), counted=False)

    async def _unknown(self, attempt: DeliveryAttempt, failure: OutcomeUnknown, *, looked: bool) -> None:
        message = attempt.message
        wait = self._back_off(message)
        if not (message.post_id or looked):  # a post: what came of it is looked for soon
            wait = min(wait, LONGEST_LOOK_SECONDS) if message.attempts else LOOK_AFTER_SECONDS
        if self._unknown_long(message):
            words = _words(message, failure, at_place=True)
            self._problems.say(f"message {message.id}", f"{words}: whether it was done is not known")
        if looked:
            await self.defer(attempt, wait, error=str(failure))
            return
        unsure, until = self._delivery.uncertain.gave_up(message), self._clock.now() + timedelta(seconds=wait)

        def work(tx: Tx) -> None:
            tx.outbox.defer(message.id, until=until, error=str(failure), unknown=True, unsure_until=unsure)
            self._leave_open(tx, message)

        await self._delivery.claims.record(message, work)

    async def _misconfigured(self, attempt: DeliveryAttempt, failure: Misconfigured, *, looked: bool) -> None:
        message = attempt.message
        if failure.elsewhere and await self._delivery.moved(message):
            logger.bind(message=message.id, error=str(failure)).warning("the channel is another one by now")
            self._problems.over(*(_key(method, message) for method in (POST, THREAD, EDIT, UPLOAD, LOOK)))
            await self._post_anew(message, keep=attempt.unknown, moved=True)
            return
        if failure.method == DELETE:  # of a copy of this message: nothing else has to do with it
            self._problems.say(f"message {message.id}", _words(message, failure, at_place=True))
            await self.defer(attempt, longer_wait(message), error=str(failure))
            return
        method, place = LOOK if looked else attempt.method, self._delivery.place_of(message)
        key = "app" if failure.whole_app else _key(method, message)
        of_place = bool(message.place) and not failure.whole_app
        if self._problems.say(key, _words(message, failure, at_place=of_place)):
            logger.bind(channel=message.channel, error=str(failure)).error("Slack messages wait for a mend")
        wait = self._probes.wait(key, message, str(failure))
        wait = wait if message.post_id or looked else probes.PROBE_SECONDS
        everywhere = failure.whole_app
        self._pace.refused("*" if everywhere else method, "*" if everywhere else place, probes.PROBE_SECONDS)
        aside = attempt.method == UPLOAD and not everywhere  # a file is refused where lines are taken
        wait *= random.uniform(0.8, 1.0)  # noqa: S311 - jitter
        await self.defer(attempt, wait, error=str(failure), aside=aside)

    async def _refused(self, attempt: DeliveryAttempt, failure: SlackFailure, *, looked: bool) -> None:
        message = attempt.message
        content = isinstance(failure, ContentRefused)
        refused = content or (
            isinstance(failure, NotDone) and failure.code not in PASSING and message.attempts > 0
        )
        if refused:
            self._problems.say(f"message {message.id}", _words(message, failure, at_place=True))
        wait = longer_wait(message) if content else self._back_off(message)
        if isinstance(failure, UnknownWord) and not (message.post_id or looked):
            await self._doubted(attempt, wait, failure)
            return
        await self.defer(attempt, wait, error=str(failure), aside=refused)

    async def _doubted(self, attempt: DeliveryAttempt, wait: float, failure: UnknownWord) -> None:
        """Have what was refused with an unknown word looked for before it is sent again.

        Where that look found nothing and the word came again, it is a refusal: the thread goes on without the message.
        """
        message, now = attempt.message, self._clock.now()
        until = now + timedelta(seconds=wait)

        def work(tx: Tx) -> None:
            tx.outbox.defer(message.id, until=until, error=str(failure), unknown=True, unsure_until=now)
            if attempt.looking and message.parent_id is not None:
                tx.outbox.step_aside(message.id)

        await self._delivery.claims.record(message, work)

    async def _post_anew(
        self, message: Message, *, keep: bool, moved: bool = False, deleted: bool = False
    ) -> None:
        """A deleted message is posted anew; under a deleted parent the parent first, the thread follows it.

        ``deleted``: it stands there no more, so that what is found by its delivery id later is a late copy.
        """
        now = self._clock.now()

        def forget(tx: Tx, gone: Message) -> None:
            late = gone.recheck is not None and gone.recheck.post
            tx.outbox.forget(gone.id, now, moved=moved, doubted=deleted and late)

        def anew(tx: Tx) -> None:
            if message.post_id:
                current = tx.outbox.get(message.id)
                if (
                    current is not None and current.post_id == message.post_id
                ):  # else another replica did so meanwhile
                    forget(tx, current)
                return
            parent = tx.outbox.get(message.parent_id) if message.parent_id is not None else None
            if parent is not None and parent.post_id == message.parent_post_id:
                forget(tx, parent)
            later = now + timedelta(seconds=0 if parent is not None or moved else 30)
            error = "its channel is another one by now" if moved else "its thread is gone"
            tx.outbox.defer(message.id, until=later, error=error, unknown=keep, counted=not keep)

        await self._delivery.claims.record(message, anew)

    def _back_off(self, message: Message) -> float:
        longest = min(LONGEST_BACK_OFF, 0.5 * 2 ** min(message.attempts, 6))
        return float(longest * random.uniform(0.6, 1.0))  # noqa: S311 - jitter

    async def defer(
        self,
        attempt: DeliveryAttempt,
        seconds: float,
        *,
        error: str = "",
        counted: bool = True,
        aside: bool = False,
    ) -> None:
        """Give a message back for later; what is in doubt of it stays so.

        ``aside``: what comes after it in its thread goes on without it, unless it may have been posted with it. What has
        been unknown for too long is waited for no longer in any case.
        """
        message, until = attempt.message, self._clock.now() + timedelta(seconds=seconds)

        def work(tx: Tx) -> None:
            tx.outbox.defer(message.id, until=until, error=error, unknown=attempt.unknown, counted=counted)
            if attempt.unknown:
                self._leave_open(tx, message)
            elif aside and message.parent_id is not None and not message.post_id:
                tx.outbox.step_aside(message.id)

        await self._delivery.claims.record(message, work)

    def _leave_open(self, tx: Tx, message: Message) -> None:
        """Let a thread go on without a message of it whose outcome has not been known for too long."""
        uncertain = self._delivery.uncertain
        if message.parent_id is not None and not message.post_id and uncertain.past_patience(message):
            leave_open(tx, message, self._clock.now(), uncertain.waited(message))


def _hasten(tx: Tx, *, error: str, now: datetime) -> None:
    tx.outbox.hasten(error, now)


def _key(method: str, message: Message) -> str:
    """Return the name of the place that a refusal binds."""
    if method == POST:
        return message.channel
    return f"{message.place or message.channel} {method}"


def _words(message: Message, failure: SlackFailure, *, at_place: bool) -> str:
    about = f"INC-{message.incident_id}: " if message.incident_id and at_place else ""
    where = f" (channel {message.place})" if at_place and message.place else ""
    return f"{about}{failure}{where}"
