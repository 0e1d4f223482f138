"""Prometheus, asked in this process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from demo.lab.evidence.answering import answering
from demo.servers.promql_values import PromqlError, PromqlSyntaxError
from demo.servers.promql_values import Sample as Point
from triage.errors import SourceRejected
from triage.model import utc
from triage.ports.sources import FiringAlert, QueryResult, RangeResult, RuleState, Sample, Series, Target

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.lab.prometheus import LabPrometheus


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass(slots=True)
class LabMetrics:
    """Prometheus."""

    world: World
    prometheus: LabPrometheus

    async def query(self, promql: str, *, at: datetime | None = None, partly: bool = False) -> QueryResult:  # noqa: ARG002
        """Evaluate an instant query."""
        answering(self.world, "prometheus", "Prometheus")
        moment = at or utc(self.world.clock.now())
        try:
            value = self.prometheus.evaluator.instant(promql, _ms(moment))
        except (PromqlError, PromqlSyntaxError) as error:
            raise SourceRejected("Prometheus", str(error)) from error
        if isinstance(value, float):
            return QueryResult((Sample({}, value, moment),))
        found = [each for each in value if isinstance(each, Point)]
        return QueryResult(tuple(Sample(dict(each.labels), each.value, moment) for each in found))

    async def query_range(
        self,
        promql: str,
        *,
        start: datetime,
        end: datetime,
        step_seconds: float,
        partly: bool = False,  # noqa: ARG002
    ) -> RangeResult:
        """Evaluate a query over a range."""
        answering(self.world, "prometheus", "Prometheus")
        found = self.prometheus.evaluator.series(promql, _ms(start), _ms(end), round(step_seconds * 1000))
        series = (
            Series(dict(labels), tuple((utc(at / 1000), value) for at, value in points))
            for labels, points in found.items()
        )
        return RangeResult(tuple(series))

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            RuleState(
                name=rule.spec.alert,
                state=rule.state,
                health=rule.health,
                last_error=rule.last_error,
                labels=rule.spec.labels,
            )
            for group in self.prometheus.engine.groups
            for rule in group.rules
        )

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing now."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            FiringAlert(alert.labels, alert.state, utc(alert.active_at), str(alert.value))
            for _, alert in self.prometheus.engine.active()
        )

    async def targets(self) -> tuple[Target, ...]:
        """Return the scrape targets."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            Target(
                job=one.job,
                instance=one.instance,
                health=one.health,
                last_scrape=utc(one.last_scrape) if one.last_scrape else None,
                last_error=one.last_error,
            )
            for one in self.prometheus.scraper.targets
        )
