"""What is counted, under ``/metrics``: read from the parts when Prometheus asks, so nothing is counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from loguru import logger
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.liveness import Liveness
from handlers.alertmanager import WebhookCounts
from triage.concurrency import FAULTS, is_stop
from triage.errors import StoreUnavailable
from triage.model import Severity
from triage.ports.answers import Tally
from triage.ports.clock import Clock
from triage.ports.store import OutboxState, Store, Tx

Snapshot = tuple[OutboxState, dict[Severity, int], int, Tally]
"""The outbox, open incidents by severity, signals not sorted yet, what people said of verdicts."""


class _Numbers(Collector):
    """Turns the parts' counts into metrics."""

    def __init__(
        self, clock: Clock, webhook: WebhookCounts, liveness: Liveness, commits: Callable[[], tuple[int, int]]
    ) -> None:
        self._clock = clock
        self._webhook = webhook
        self._pulse = liveness
        self._commits = commits
        self.snapshot: Snapshot | None = None

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        yield _counter("triage_webhooks_accepted", "Webhooks that were stored", self._webhook.accepted)
        yield _counter("triage_alerts_received", "Alerts in accepted webhooks", self._webhook.alerts)
        yield _counter("triage_signals_new", "Alerts that were not repeats", self._webhook.new)
        salvaged = "Alerts taken with what could be read of them"
        yield _counter("triage_alerts_salvaged", salvaged, self._webhook.salvaged)
        refused = CounterMetricFamily(
            "triage_webhooks_refused", "Webhooks refused, by status", labels=["code"]
        )
        for code, count in self._webhook.refused.items():
            refused.add_metric([str(code)], count)
        yield refused
        commits, units = self._commits()
        yield _counter("triage_store_commits", "Commits of the store", commits)
        yield _counter("triage_store_writes", "Units of work committed, several in one commit", units)
        beats = GaugeMetricFamily("triage_loop_age_seconds", "Since a loop went round", labels=["loop"])
        for name in self._pulse.beats:
            beats.add_metric([name], self._pulse.age(name) or 0.0)
        yield beats
        if self.snapshot is not None:
            yield from self._state(*self.snapshot)

    def _state(
        self, outbox: OutboxState, open_by: dict[Severity, int], inbox: int, tally: Tally
    ) -> Iterable[Metric]:
        yield GaugeMetricFamily("triage_outbox_pending", "Messages and edits owed to Slack", outbox.pending)
        yield GaugeMetricFamily(
            "triage_outbox_oldest_seconds",
            "How long the oldest of them waits",
            _age(outbox.oldest_at, self._clock.now()),
        )
        yield GaugeMetricFamily("triage_inbox_pending", "Signals that are not sorted yet", inbox)
        incidents = GaugeMetricFamily("triage_incidents_open", "Open incidents", labels=["severity"])
        for severity in Severity:
            incidents.add_metric([severity.value], open_by.get(severity, 0))
        yield incidents
        verdicts = GaugeMetricFamily(
            "triage_verdicts_answered",
            "Incidents whose verdict people called right or wrong, by how sure it was",
            labels=["strength", "answer"],
        )
        for strength, (count, right) in sorted(tally.items()):
            if not strength:  # that no cause was named is neither right nor wrong: somebody told what it was
                verdicts.add_metric(["none", "told"], count)
                continue
            verdicts.add_metric([strength, "right"], right)
            verdicts.add_metric([strength, "wrong"], count - right)
        yield verdicts


class MetricsPage:
    """Makes the page; ``registry`` is where other parts register what they count themselves."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        webhook: WebhookCounts,
        liveness: Liveness,
        commits: Callable[[], tuple[int, int]],
    ) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._numbers = _Numbers(clock, webhook, liveness, commits)
        self.registry.register(self._numbers)
        self._store = store

    async def page(self) -> bytes:
        """Return the exposition; what the store knows is left out while it cannot be read."""
        try:
            async with asyncio.timeout(2):
                self._numbers.snapshot = await self._store.read(_snapshot)
        except (TimeoutError, StoreUnavailable):
            self._numbers.snapshot = None
        except FAULTS as error:  # in one record: the numbers of all else are what tells of it
            if is_stop(error):
                raise
            logger.opt(exception=error).error("what the store knows is not counted")
            self._numbers.snapshot = None
        return generate_latest(self.registry)


def _snapshot(tx: Tx) -> Snapshot:
    open_by: dict[Severity, int] = {}
    for incident in tx.incidents.open():
        open_by[incident.severity] = open_by.get(incident.severity, 0) + 1
    return tx.outbox.state(), open_by, tx.signals.waiting(), tx.answers.tally()


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


@dataclass(slots=True, eq=False)
class ConnectionMeters(Collector):
    """``triage_connections_closed_total`` by why; see ``bot.connections``."""

    closed: Mapping[str, int]

    def collect(self) -> Iterable[Metric]:
        """Yield the family."""
        text = "Connections to our port that were closed, by why"
        closed = CounterMetricFamily("triage_connections_closed", text, labels=["why"])
        for why, count in self.closed.items():
            closed.add_metric([why], count)
        yield closed


@dataclass(slots=True, eq=False)
class SelfMeters(Collector):
    """``triage_trouble`` by name, what was put aside, how often each loop failed."""

    liveness: Liveness
    troubles: Callable[[], Mapping[str, str]]
    put_aside: Callable[[], int]

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        troubles = GaugeMetricFamily("triage_trouble", "What of us is in trouble", labels=["name"])
        for name, why in self.troubles().items():
            troubles.add_metric([name], float(bool(why)))
        yield troubles
        aside = "Signals that could not be sorted and have a plain card"
        yield CounterMetricFamily("triage_signals_put_aside", aside, self.put_aside())
        faults = CounterMetricFamily(
            "triage_loop_faults", "Faults of ours that a loop survived", labels=["loop"]
        )
        for name, count in self.liveness.faults.items():
            faults.add_metric([name], count)
        yield faults
