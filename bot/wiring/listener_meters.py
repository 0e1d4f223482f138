"""What the listeners count, for ``/metrics``: read from its parts when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.wiring.listeners import ListenerWiring


class ListenerMeters(Collector):
    """Families named ``triage_stream_*``, ``triage_container_*``, ``triage_source_up``, the heartbeat and Redis."""

    def __init__(self, listening: ListenerWiring) -> None:
        self._listening = listening

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        yield from self._streams()
        yield from self._ages()
        counts = self._listening.containers.counts
        yield CounterMetricFamily("triage_container_events", "Container events stored", counts.stored)
        yield CounterMetricFamily(
            "triage_container_reconnects", "Breaks of the engine's event stream", counts.reconnects
        )
        up = GaugeMetricFamily("triage_source_up", "Whether a source of evidence answers", labels=["source"])
        for name, answers in self._listening.probe.up.items():
            if answers is not None:
                up.add_metric([name], float(answers))
        yield up
        yield from self._ourselves()

    def _streams(self) -> Iterable[Metric]:
        stored = CounterMetricFamily("triage_stream_events", "Events stored", labels=["stream", "outcome"])
        pending = GaugeMetricFamily(
            "triage_stream_pending", "Entries read and not acknowledged, of all readers", labels=["stream"]
        )
        lag = GaugeMetricFamily(
            "triage_stream_lag", "Entries our group has not come to yet", labels=["stream"]
        )
        readable = GaugeMetricFamily(
            "triage_stream_heard", "Whether the stream can be read", labels=["stream"]
        )
        for listener in self._listening.streams:
            stream, counts = listener.reader.stream, listener.counts
            outcomes = ("stored", "repeats", "parked", "signals", "claimed", "lost", "missed")
            for outcome in outcomes:
                stored.add_metric([stream, outcome], getattr(counts, outcome))
            readable.add_metric([stream], float(not listener.trouble))
            if listener.standing is not None:
                pending.add_metric([stream], listener.standing.pending)
                if listener.standing.lag is not None:
                    lag.add_metric([stream], listener.standing.lag)
        yield from (stored, pending, lag, readable)

    def _ages(self) -> Iterable[Metric]:
        ages = GaugeMetricFamily(
            "triage_stream_age_seconds", "Since the newest entry of a stream", labels=["stream"]
        )
        for name, age in self._listening.flow.ages().items():
            ages.add_metric([name], age)
        yield ages
        standing = GaugeMetricFamily("triage_redis_trouble", "What is wrong with Redis", labels=["name"])
        for name in self._listening.redis.steady.standing:
            standing.add_metric([name], 1)
        yield standing

    def _ourselves(self) -> Iterable[Metric]:
        beaten, seen = self._listening.heartbeat.beaten_at, self._listening.deadman.seen
        if beaten is not None:
            yield GaugeMetricFamily(
                "triage_heartbeat_timestamp_seconds", "When we were healthy last", beaten.timestamp()
            )
        if seen is not None:
            yield GaugeMetricFamily(
                "triage_watchdog_seen_timestamp_seconds",
                "When the Watchdog alert came last",
                seen.timestamp(),
            )
