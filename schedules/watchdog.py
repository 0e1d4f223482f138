"""The Watchdog alert that must keep coming, the heartbeat for others to watch, and our own troubles that last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from triage.clock_jumps import JUMP_SECONDS
from triage.concurrency import FAULTS, each, is_stop
from triage.desk import Desk
from triage.errors import SourceError, SourceNotConfigured, StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.sources import UNREADABLE_RULE, Sources
from triage.ports.store import Store, Tx
from triage.signals.condition import Condition
from triage.signals.troubles import LastingTroubles
from triage.signals.watchdog import TO_COME, WATCHDOG_NOTE, watchdog_missing, watchdog_unknown
from triage.signals.watched_conditions import settle
from triage.untrusted_text import fault_words

_BLIND = "blind"
"""The one condition that is watched here."""


@dataclass(frozen=True, slots=True)
class _Look:
    """The clock and the monotonic seconds at a look, and what was known then."""

    at: datetime
    really: float
    seen: datetime | None


@dataclass(slots=True)
class Deadman:
    """Notices that the Watchdog alert stopped coming."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    stored: Callable[[], None]
    started: datetime
    rule_loaded: bool | None = None
    """Whether Prometheus holds the alert's rule; None until it has said so."""
    seen: datetime | None = None
    """When the alert came last, by the clock of then."""
    _came: datetime | None = None
    _before: _Look | None = None

    async def run(self) -> None:
        """Look once."""
        self.seen = await self.store.read(_seen)
        if self.seen is None:
            await self._ask_for_rule()
        now = self.clock.now()
        self._move_along(now)
        seen, loaded, started = self._came, self.rule_loaded, self.started
        wrong = watchdog_missing(self.desk, seen=seen, rule_loaded=bool(loaded), started=started, now=now)
        conditions = {} if wrong is None else {_BLIND: wrong}
        unknown = watchdog_unknown(self.desk, seen=seen, rule_loaded=loaded, started=started, now=now)
        unsure = {_BLIND} if unknown else set()
        signals = await self.store.write(
            lambda tx: settle(tx, self.desk, "watchdog", conditions, now, unsure=unsure)
        )
        if signals:
            logger.warning("{text}", text=wrong.text if wrong is not None else "alerts arrive again")
            self.stored()

    def _move_along(self, now: datetime) -> None:
        """Keep when the alert came, and when we began, as today's clock would have said it: the clock may be set."""
        really = self.clock.monotonic()
        before, self._before = self._before, _Look(now, really, self.seen)
        if before is None:
            self._came = TO_COME if self.seen is not None and self.seen > now else self.seen
            return
        passed = timedelta(seconds=really - before.really)
        was_set = (now - before.at) - passed
        jumped = abs(was_set.total_seconds()) >= JUMP_SECONDS
        if jumped:
            self.started += was_set
        if (
            self.seen != before.seen and self.seen is not None
        ):  # it came since the look before, whatever its time says
            self._came = min(max(self.seen, now - passed), now)
        elif jumped and self._came is not None and self._came != TO_COME:
            self._came += was_set

    async def _ask_for_rule(self) -> None:
        try:
            rules = await self.sources.metrics.rules()
        except SourceError:
            return  # what we knew before still holds
        loaded = any(rule.name == self.desk.watchdog.alertname for rule in rules)
        if loaded or UNREADABLE_RULE not in rules:  # else it may be the one that cannot be read
            self.rule_loaded = loaded


def _seen(tx: Tx) -> datetime | None:
    return tx.notes.parsed(WATCHDOG_NOTE, datetime.fromisoformat)


@dataclass(slots=True)
class Heartbeat:
    """Shows that the service works: a time for ``/metrics``, and a request to an outside URL every minute.

    ``healthy`` says whether the service can do its work; while it cannot, nothing is sent, so that the other side alerts.
    """

    clock: Clock
    healthy: Callable[[], Awaitable[bool]]
    ping: Callable[[], Awaitable[None]] | None = None
    beaten_at: datetime | None = None
    trouble: str = ""

    async def beat(self) -> None:
        """Note the time at which the service was healthy."""
        if await self.healthy():
            self.beaten_at = self.clock.now()

    async def send(self) -> None:
        """Tell the outside, while healthy. What its server answers is not ours to mend: it is a trouble."""
        if self.ping is None or not await self.healthy():
            return
        try:
            await self.ping()
        except SourceError as error:
            if not self.trouble:
                logger.warning("the heartbeat could not be sent: {why}", why=error)
            self.trouble = str(error)
        else:
            self.trouble = ""


@dataclass(slots=True)
class SourceProbe:
    """Asks each source of evidence whether it answers. ``up``: by source, None where it is not configured."""

    sources: Sources
    up: dict[str, bool | None] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Ask each once."""
        await each(self._questions().items(), lambda asked: self._probe(*asked))

    async def _probe(self, name: str, question: Callable[[], Awaitable[object]]) -> None:
        try:
            await question()
        except SourceNotConfigured:
            self.up[name] = None
            self.troubles.pop(name, None)
        except SourceError as error:
            self.up[name], self.troubles[name] = False, str(error)
        except FAULTS as error:
            if is_stop(error):
                raise
            self.up.pop(name, None)  # what it was found to be before is not known to be so any more
            self.troubles[name] = fault_words(error)
            raise
        else:
            self.up[name] = True
            self.troubles.pop(name, None)

    def _questions(self) -> Mapping[str, Callable[[], Awaitable[object]]]:
        return {
            "prometheus": lambda: self.sources.metrics.query("vector(1)"),
            "loki": self.sources.logs.ready,
            "alertmanager": self.sources.alerts.ready,
            "docker": self.sources.containers.ready,
        }


@dataclass(slots=True)
class SelfWatch:
    """Makes an incident of a trouble of our own that lasts. ``troubles``: what is wrong now, by name."""

    store: Store
    desk: Desk
    clock: Clock
    troubles: Callable[[], Awaitable[Mapping[str, str]]]
    stored: Callable[[], None]
    lasting: LastingTroubles = field(default_factory=LastingTroubles)

    async def run(self) -> None:
        """Look once. A store that is away keeps nothing; ``/readyz`` and the metrics say it all the same."""
        now = self.clock.now()
        conditions: Mapping[str, Condition] | None = self.lasting.look(self.desk, await self.troubles(), now)
        if conditions is None:
            return
        try:
            signals = await self.store.write(lambda tx: settle(tx, self.desk, "self", conditions, now))
        except StoreUnavailable as error:
            logger.error("our own troubles were not stored: {why}", why=error)
            return
        if signals:
            self.stored()
