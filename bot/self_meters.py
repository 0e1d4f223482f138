"""What of the service does not work, for ``/metrics``: read from its parts when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.liveness import Liveness


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
