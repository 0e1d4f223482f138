"""The loop between a stored signal and its incident: sorts the inbox, isolates what cannot be sorted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from loguru import logger

from bot.liveness import IDLE_SECONDS, Liveness
from bot.tuning import OVER_SECONDS, REST_SECONDS, SHARE, SHARE_AT_ONCE, DutyCycle
from triage.concurrency import FAULTS, is_stop
from triage.errors import RecordUnreadable, StoreUnavailable
from triage.incidents import unsortable
from triage.incidents.intake import BATCH, Intake, IntakePass
from triage.incidents.prometheus_answer import NOTHING_SAID, PrometheusAnswer
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx

LONE = 4
"""So many signals in one pass are no storm: they are sorted without a pause, because somebody waits for their incident."""
HEAD_START_SECONDS = 0.03
"""How long triage waits after a pass: an alert's first post needs this process for itself for a moment."""
GRAVE_REST_SECONDS = 0.2
"""How long a rest lasts at least where a signal came that people must notice at once: many of them are a flood too."""
LOOK_SECONDS = 0.05
"""How often is looked in a flood whether signals still come."""
PASS_SECONDS = 0.25
"""How long a pass places signals: the webhooks that come meanwhile wait for the same commit as the pass."""
_RETRY_SECONDS = (0.5, 1.5)
DAMAGED_SECONDS = 10.0
"""How often the inbox of a damaged database is tried."""


@dataclass(slots=True)
class IntakeLoop:
    """Sorts the inbox whenever signals were stored.

    ``ask`` asks Prometheus before a resolve is taken. ``put_aside`` counts the signals that could not be sorted since the
    start; ``blocked`` says why signals stay in the inbox though they are stored (a damaged database), empty where they
    do not.
    """

    store: Store
    intake: Intake
    clock: Clock
    inbox: Bell
    outbox: Bell
    triage: Bell
    liveness: Liveness
    grave: Bell = field(default_factory=Bell)
    """Rung, besides ``inbox``, where a signal was stored that people must notice at once."""
    ask: Callable[[], Awaitable[PrometheusAnswer]] | None = None
    duty: DutyCycle = field(default_factory=lambda: DutyCycle(SHARE, SHARE_AT_ONCE))
    put_aside: int = 0
    blocked: str = ""
    _why: str = ""
    _stays: str = ""
    _came_at: float = float("-inf")
    """When a signal came last, as far as is known (monotonic)."""

    @property
    def trouble(self) -> str:
        """Say what of the inbox could not be sorted; empty where all was."""
        if self.blocked:
            return f"signals wait in the inbox: {self.blocked}"
        if self._stays:
            return f"a signal stays in the inbox and cannot even be put aside: {self._stays}"
        if self.put_aside:
            return f"{self.put_aside} signals could not be sorted, the last by {self._why}; they have plain cards"
        return ""

    async def run(self) -> None:
        """Sort until cancelled. A store that is away is waited for: nothing is lost meanwhile."""
        while True:
            self.liveness.beat("intake")
            began = self.clock.monotonic()
            try:
                done = await self._round()
            except StoreUnavailable as error:
                logger.debug("inbox not sorted: {error}", error=error)
                self._wake()  # where nobody knows what was committed, there may be something to send
                await asyncio.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 - jitter
                continue
            came = done.sorted > LONE and await self._rest(self.duty.rest(began, self.clock.monotonic()))
            if not done.more and not came:
                await self.inbox.wait(DAMAGED_SECONDS if self.blocked else IDLE_SECONDS)
                self._came_at = self.clock.monotonic()

    async def _rest(self, seconds: float) -> bool:
        """Leave the store to those who wait until their signals are stored; returns whether any came meanwhile.

        When none comes any more the flood is over, and what waits in the inbox has the store to itself. A grave one does
        not wait for the end of a rest.
        """
        came, grave, left = False, False, min(seconds, REST_SECONDS)
        until = left - GRAVE_REST_SECONDS
        while left > 0:
            grave = await self.grave.wait(0) or grave
            if grave and left <= until:
                return True
            if await self.inbox.wait(0):
                came, self._came_at = True, self.clock.monotonic()
            elif self.clock.monotonic() - self._came_at >= OVER_SECONDS:
                break
            await asyncio.sleep(min(left, LOOK_SECONDS))
            left -= LOOK_SECONDS
        return came

    async def _round(self) -> IntakePass:
        try:
            done = await self.once()
        except StoreUnavailable as error:
            if not error.damaged:
                raise
        except RecordUnreadable as error:  # said where it is put aside
            logger.debug("sorting one by one: {why}", why=error)
        except FAULTS as error:  # one signal that cannot be sorted must not hold up all others
            if is_stop(error):
                raise
            logger.opt(exception=error).error("a pass over the inbox failed; sorting one by one")
        else:
            self.blocked = self._stays = ""
            return done
        return await self._one_by_one()

    async def once(self) -> IntakePass:
        """Sort what is stored now. The sender is woken to look in the same commit for what it owes then."""
        self.outbox.ring()
        done = await self._sort(NOTHING_SAID if self.ask is None else None)
        if done.asks and self.ask is not None:
            self._said(done)  # what fires does not wait for what Prometheus says of others
            done = await self._sort(await self.ask())
        self._said(done)
        return done

    async def _sort(self, answer: PrometheusAnswer | None) -> IntakePass:
        def sort(tx: Tx) -> IntakePass:
            until = self.clock.monotonic() + PASS_SECONDS
            return self.intake.sort_inbox(
                tx, self.clock.now(), answer=answer, enough=lambda: self.clock.monotonic() >= until
            )

        return await self.store.write(sort)

    def _said(self, done: IntakePass) -> None:
        for incident in done.opened:
            logger.bind(incident=incident.number).info(
                "opened: {title} ({severity})", title=incident.title, severity=incident.severity
            )
        if done.sorted:
            asyncio.get_running_loop().call_later(HEAD_START_SECONDS, self._wake)

    def _wake(self) -> None:
        self.outbox.ring()
        self.triage.ring()

    async def _one_by_one(self) -> IntakePass:
        """Sort each signal that waits by itself. One that cannot be sorted costs only itself.

        What a damaged part of the database keeps from being sorted stays in the inbox.
        """
        try:
            waiting = await self.store.read(lambda tx: tx.signals.waiting_ids(BATCH))
        except StoreUnavailable as error:
            self.blocked = str(error) if error.damaged else self.blocked
            raise
        kept, blocked, self._stays = 0, "", ""
        for signal_id in waiting:
            self.liveness.beat("intake")
            try:
                self._said(await self._sort_one(signal_id))
            except StoreUnavailable as error:
                if not error.damaged:
                    raise
                kept, blocked = kept + 1, str(error)
            except FAULTS as error:  # as above
                if is_stop(error):
                    raise
                kept += not await self._put_aside_safely(signal_id, error)
        self.blocked = blocked
        return IntakePass(more=len(waiting) == BATCH and not kept)

    async def _sort_one(self, signal_id: int) -> IntakePass:
        return await self.store.write(lambda tx: self.intake.sort_one(tx, signal_id, self.clock.now()))

    async def _put_aside_safely(self, signal_id: int, error: BaseException) -> bool:
        """Put a signal aside. One for which even that fails stays in the inbox and holds up no other; False then."""
        try:
            await self._put_aside(signal_id, error)
        except StoreUnavailable:
            raise
        except FAULTS as second:
            if is_stop(second):
                raise
            logger.opt(exception=second).error("signal {id} stays in the inbox", id=signal_id)
            self._stays = unsortable.why_of(second)
            return False
        return True

    async def _put_aside(self, signal_id: int, error: BaseException) -> None:
        """Show plainly that the signal came: with all it says, else with its text, else only by the count."""
        why = unsortable.why_of(error)
        traced = None if isinstance(error, RecordUnreadable) else error  # that one is no mistake in our code
        logger.opt(exception=traced).error("signal {id} is put aside: {why}", id=signal_id, why=why)

        def show(tx: Tx, *, plain: bool) -> bool:
            return unsortable.put_aside(tx, self.intake.desk, signal_id, why, self.clock.now(), plain=plain)

        for plain in (False, True):
            try:
                shown = await self.store.write(lambda tx, plain=plain: show(tx, plain=plain))  # type: ignore[misc]
            except StoreUnavailable:
                raise
            except FAULTS as second:  # then with less
                if is_stop(second):
                    raise
                level = "DEBUG" if isinstance(second, RecordUnreadable) else "ERROR"
                logger.log(
                    level, "signal {id} cannot be shown: {why}", id=signal_id, why=unsortable.why_of(second)
                )
            else:
                self._counted(why if shown else "")
                return
        await self.store.write(lambda tx: unsortable.keep_aside(tx, signal_id, None, why))
        self._counted(why)

    def _counted(self, why: str) -> None:
        if why:
            self.put_aside, self._why = self.put_aside + 1, why
            self._wake()
