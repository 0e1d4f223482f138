"""One question that Prometheus refuses: it costs itself, and never leaves ok what rests on its answer."""

from dataclasses import replace
from datetime import datetime
from types import ModuleType

import pytest

from tests.fakes.sources import NOW, FakeMetrics, FakeSources
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import bot_state, fee_source, scope
from triage.errors import SourceRejected
from triage.model import FindingStatus
from triage.ports.sources import QueryResult, RangeResult, Sample


class RefusingMetrics(FakeMetrics):
    """Refuses the questions that hold a text."""

    refuses = ""

    async def query(self, promql: str, *, at: datetime | None = None, partly: bool = False) -> QueryResult:
        """Answer, or refuse."""
        if self.refuses and self.refuses in promql:
            raise SourceRejected("Prometheus", "422: query processing would load too many samples")
        return await FakeMetrics.query(self, promql, at=at, partly=partly)

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float, partly: bool = False
    ) -> RangeResult:
        """Answer, or refuse."""
        if self.refuses == "range":
            raise SourceRejected("Prometheus", "422: query processing would load too many samples")
        return await FakeMetrics.query_range(
            self, promql, start=start, end=end, step_seconds=step_seconds, partly=partly
        )


def _sample(value: float, **labels: str) -> Sample:
    return Sample({"bot": "bot1", **labels}, value, NOW)


@pytest.mark.parametrize(
    ("check", "refuses", "status"),
    [
        (bot_state, "", FindingStatus.OK),
        (bot_state, "snapshot", FindingStatus.UNKNOWN),
        (bot_state, "sum_over_time", FindingStatus.OK),
        (bot_state, "range", FindingStatus.OK),
        (scope, "", FindingStatus.OK),
        (scope, "snapshot", FindingStatus.UNKNOWN),
        (fee_source, "", FindingStatus.OK),
        (fee_source, "snapshot", FindingStatus.UNKNOWN),
        (fee_source, "offset 1d", FindingStatus.UNKNOWN),
    ],
)
async def test_what_rests_on_a_refused_answer_is_not_ok(
    check: ModuleType, refuses: str, status: FindingStatus
) -> None:
    """How old a state is and what a fee was yesterday decide; a mean and the history of six hours are told besides."""
    metrics = RefusingMetrics(
        answers={
            "snapshot": [_sample(20.0)],
            "fee_source": [_sample(1.0, source="api:bitget:user_fee_query")],
            "fee_pct": [_sample(0.0002)],
            "sum_over_time": [_sample(0.0002)],
            "hbot_bot_state": [_sample(1.0, __name__="hbot_bot_state", state="running", regime="calm")],
        }
    )
    metrics.refuses = refuses
    ctx = context(FakeSources())
    finding = await check.run(replace(ctx, sources=replace(ctx.sources, metrics=metrics)))
    assert finding.status is status, finding
    assert ("422" in finding.why) is bool(refuses)
