"""Keeps the line "Trading" of the open incidents' cards true: looks at the bots every few seconds while one is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from triage.desk import Desk
from triage.diagnosis.desk_state import (
    filled_from_files,
    look_at_bots,
    with_beginnings,
    with_known_beginnings,
)
from triage.errors import SourceError, SourceNotConfigured
from triage.incidents.notifications import tell_card
from triage.model import Incident
from triage.ports.clock import Clock
from triage.ports.minutes import Minutes
from triage.ports.sources import Sources
from triage.ports.store import Store, Tx
from triage.signals.trading import BotTrading, Trading, load_trading, save_trading

LOOK_EVERY_SECONDS = 1.5
"""With the three seconds between two edits of a card, and the answers' time, a card follows within five."""
ANSWER_SECONDS = 5.0
"""How long Prometheus may take: as long as for a check, so that a slow one is not taken for away because of us."""
FAILS = 2
"""So many looks in a row must fail before "not known" takes the place of what was seen last."""
KEEP_SECONDS, REFRESH_SECONDS = 10.0, 60.0
"""How often an unchanged look is stored, and how often its figures and its time are brought to the cards."""
CARDS, REFRESHED = 20, 3
"""So many cards follow a change, and so many have their figures refreshed: the most urgent ones."""


@dataclass(slots=True)
class TradingWatch:
    """Looks, remembers and asks for the edits. ``wake_sender`` wakes the sender."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    wake_sender: Callable[[], None]
    minutes: Minutes | None = None
    """The bots' own files, for what Prometheus does not know."""
    _failed: int = 0
    _kept_at: float = float("-inf")
    _refreshed_at: float = float("-inf")

    async def run(self) -> None:
        """Look once; with no incident open nothing is asked. Raises StoreUnavailable."""
        watched, known = await self.store.read(lambda tx: (tx.incidents.any_open(), load_trading(tx)))
        if not watched:
            self._refreshed_at = self.clock.monotonic()
            return
        trading = await self._look(known)
        if trading is not None:
            await self._keep(known, trading)

    async def _look(self, known: Trading | None) -> Trading | None:
        """Return what is seen, from the bots' own files where Prometheus has no data; None where one look failed."""
        trading = await self._asked(known)
        if trading is None or self.minutes is None:
            return trading
        bots = trading.bots or tuple(BotTrading(bot.name, monitors=bot.monitors) for bot in self.desk.bots)
        stale = self.desk.triage.snapshot_stale_seconds
        filled = await filled_from_files(replace(trading, bots=bots), self.minutes, stale)
        return with_known_beginnings(filled, known) if filled.source else trading

    async def _asked(self, known: Trading | None) -> Trading | None:
        """Ask Prometheus; None where one look failed, which proves nothing."""
        now = self.clock.now()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                seen = await look_at_bots(self.sources.metrics, self.desk, now)
                seen = await with_beginnings(self.sources.metrics, seen, known)
        except SourceNotConfigured as error:
            return Trading(now, why=str(error))
        except (SourceError, TimeoutError) as error:
            self._failed += 1
            if self._failed < FAILS:
                return None
            return Trading(now, why=_why(error, known))
        self._failed = 0
        return seen

    async def _keep(self, known: Trading | None, trading: Trading) -> None:
        """Store a look where it tells something new, or the last one that was stored is old."""
        at = self.clock.monotonic()
        store_it, refresh = at - self._kept_at >= KEEP_SECONDS, at - self._refreshed_at >= REFRESH_SECONDS
        if not (store_it or refresh or _changed(known, trading)):
            return

        def work(tx: Tx) -> bool:
            changed = _changed(load_trading(tx), trading)
            save_trading(tx, trading)
            if changed or refresh:
                _tell(tx, trading.looked_at, CARDS if changed else REFRESHED)
            return changed or refresh

        if await self.store.write(work):
            self._refreshed_at = at
            self.wake_sender()
        if store_it:
            self._kept_at = at


def _changed(known: Trading | None, trading: Trading) -> bool:
    return known is None or known.key != trading.key


def _why(error: Exception, known: Trading | None) -> str:
    """Say why nothing is known; the time of the last good look stays in it, so that the text does not change."""
    why = str(error) if isinstance(error, SourceError) else "Prometheus does not answer in time"
    if known is None or (known.why and "(last seen" not in known.why):
        return why
    if known.why:
        return f"{why} {known.why[known.why.index('(last seen') :]}"
    running = sum(one.trades for one in known.bots)
    return f"{why} (last seen {known.looked_at:%H:%M} UTC: {running} of {len(known.bots)} bots)"


def _tell(tx: Tx, now: datetime, most: int) -> None:
    incidents = sorted(tx.incidents.open(), key=_urgency)
    for incident in incidents[:most]:
        tell_card(tx, incident, now)


def _urgency(incident: Incident) -> tuple[bool, int, int]:
    return (incident.quiet, incident.severity.rank, -incident.id)


__all__ = ["LOOK_EVERY_SECONDS", "TradingWatch"]
