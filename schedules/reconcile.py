"""At start and every so often: ask Alertmanager and Prometheus what we missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loguru import logger

from triage.desk import Desk
from triage.errors import SourceError, SourceNotConfigured, StoreUnavailable
from triage.incidents.alerts import fires_again
from triage.incidents.prometheus_answer import PrometheusAnswer
from triage.incidents.reconcile import Reconciled, ReportedAlerts, by_episode, reconcile
from triage.model import Episode, Signal, Source
from triage.ports.clock import Clock
from triage.ports.sources import (
    UNREADABLE_RULE,
    ActiveAlert,
    FiringAlert,
    RuleState,
    Sources,
    unread_alerts,
    unread_of_rules,
)
from triage.ports.store import Store, Tx
from triage.wording import counted

TIMEOUT_SECONDS = 20.0
WORD_SECONDS = 2.0
"""How long Prometheus may take to say whether an alert is over: what else was stored waits meanwhile."""
AGAIN_SECONDS = 90.0
"""An alert that is sent as firing so long after its resolve came is no late copy: it fires again."""
AGAIN_LOOK_BACK = timedelta(minutes=30)


@dataclass(slots=True)
class ReconcileJob:
    """Compares and stores; ``stored`` is called when it left signals to sort.

    ``trouble`` says why the last one could not be done, empty when it could. What Prometheus says of rules counts from
    the second answer after it was away: in between it may not have scraped yet.
    """

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    stored: Callable[[], None]
    trouble: str = ""
    _rules: frozenset[str] = frozenset()
    _was_away: bool = False

    async def ask_prometheus(self) -> PrometheusAnswer:
        """Ask Prometheus what it holds, before a resolve is taken; of rules that it never named nothing is asked."""
        asked_at = self.clock.now()
        if not self._rules:
            return PrometheusAnswer(asked_at)
        try:
            async with asyncio.timeout(WORD_SECONDS):
                return PrometheusAnswer(asked_at, await self.sources.metrics.alerts(), self._rules)
        except (SourceError, TimeoutError) as error:
            self._was_away = True
            logger.warning(
                "whether alerts are over is not known: {why}", why=str(error) or "Prometheus hangs"
            )
            return PrometheusAnswer(asked_at, None, self._rules)

    async def run(self) -> int:
        """Reconcile once. Returns how many signals had been missed; a source or store away is a trouble."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                missed = await self._reconcile()
        except SourceNotConfigured:
            missed = await self._fired_again()
        except (SourceError, TimeoutError) as error:
            self.trouble = str(error) or f"no end within {TIMEOUT_SECONDS:g} s"
            logger.warning("not reconciled: {why}", why=self.trouble)
            missed = await self._fired_again()
        except StoreUnavailable as error:  # said by the store itself
            self.trouble = str(error)
            return 0
        if missed:
            logger.info("{n} signals had been missed", n=missed)
            self.stored()
        return missed

    async def _fired_again(self) -> int:
        """Without Alertmanager's word: an alert that goes on being sent as firing long after its resolve fires again.

        Its startsAt is the one that ended, so that nothing else tells it from a late copy.
        """

        def find(tx: Tx) -> list[Signal]:
            now = self.clock.now()
            found = tx.signals.fired_after_end(now - AGAIN_LOOK_BACK, AGAIN_SECONDS)
            return [fires_again(each.signal, ended, now) for each, ended in found]

        try:
            # Asked of a reader first: in a flood of alerts it takes a while, in which nobody else could write.
            if not await self.store.read(find):
                return 0
            return await self.store.write(lambda tx: tx.signals.add(find(tx)))
        except StoreUnavailable as error:
            logger.debug("not looked for what fires again: {why}", why=error)
            return 0

    async def _reconcile(self) -> int:
        asked_at = self.clock.now()
        active = await self.sources.alerts.alerts()
        evidence = await self._evidence(active, asked_at)

        def find(tx: Tx) -> Reconciled:
            return reconcile(self.desk, evidence, _held(tx), _ended(tx, evidence), self.clock.now())

        # Asked of a reader first: with a storm of thousands it takes half a second, in which nobody else could write.
        found, missed = await self.store.read(find), 0
        if found.signals:
            missed = await self.store.write(lambda tx: _keep(tx, find(tx)))
        elif found.ends:
            await self.store.write(lambda tx: _move_ends(tx, found.ends))
        failed = found.failed
        ours = f"{counted(len(failed), 'alert')} not compared, by {failed[0]}" if failed else ""
        self.trouble = "; ".join(
            filter(None, (unread_alerts(active), unread_of_rules(evidence.firing or ()), ours))
        )
        return missed

    async def _evidence(self, active: tuple[ActiveAlert, ...], asked_at: datetime) -> ReportedAlerts:
        firing: tuple[FiringAlert, ...] | None = None
        rules: tuple[RuleState, ...] | None = None
        try:
            firing, rules = await self.sources.metrics.alerts(), await self.sources.metrics.rules()
        except SourceError as error:
            self._was_away = True
            logger.debug("reconciling without Prometheus: {why}", why=error)
        else:
            unread = UNREADABLE_RULE in rules  # it may be any that was there before
            self._rules = frozenset(rule.name for rule in rules) | (self._rules if unread else set())
            if self._was_away:
                self._was_away, firing, rules = False, None, None
        return ReportedAlerts(active, firing, rules, asked_at)


def _held(tx: Tx) -> list[Episode]:
    incidents = [incident.id for incident in tx.incidents.open()]
    return [
        episode
        for episode in tx.incidents.episodes(incidents)
        if episode.firing and episode.source is Source.ALERTMANAGER
    ]


def _ended(tx: Tx, evidence: ReportedAlerts) -> set[str]:
    """Return the episodes that Alertmanager holds and whose end we had learned of before it was asked."""
    keys = [(Source.ALERTMANAGER, name) for name in by_episode(evidence)]
    episodes = tx.incidents.episodes_named(keys)
    known = {(episode.source, episode.episode) for episode in episodes}
    over = {e.episode for e in episodes if not e.firing and e.last_seen_at < evidence.asked_at}
    unseen = tx.signals.ended(key for key in keys if key not in known)
    return over | {name for _, name in unseen}


def _keep(tx: Tx, found: Reconciled) -> int:
    tx.incidents.put_episodes(found.ends)
    return tx.signals.add(found.signals)


def _move_ends(tx: Tx, moved: Sequence[Episode]) -> None:
    """Store the ends that Alertmanager announces; what a webhook changed since they were read stays as it is."""
    ends = {(episode.source, episode.episode): episode.ends_at for episode in moved}
    now = [episode for episode in tx.incidents.episodes_named(ends) if episode.firing]
    tx.incidents.put_episodes([replace(one, ends_at=ends[one.source, one.episode]) for one in now])
