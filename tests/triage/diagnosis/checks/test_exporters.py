"""Two exporters of one bot: said, the newest taken, nothing mixed; and figures that are no numbers."""

import math

from tests.fakes.sources import FakeSources, sample
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import bot_state, fee_source, host, scope
from triage.errors import SourceRejected
from triage.model import FindingStatus
from triage.ports.sources import QueryResult

OLD, NEW = (
    {"instance": "exporter-old:9400", "job": "bot-metrics"},
    {"instance": "exporter:9400", "job": "bot-metrics"},
)


def two_exporters(sources: FakeSources) -> None:
    """An old one that still says hard_stop, and a new one."""
    answers = sources.metrics.answers
    answers["__name__=~"] = [
        sample(1, "hbot_bot_state", bot="bot1", state="hard_stop", **OLD),
        sample(1, "hbot_bot_state", bot="bot1", state="running", **NEW),
        sample(-0.01, "hbot_bot_net_edge_pct", bot="bot1", **OLD),
        sample(0.0002, "hbot_bot_net_edge_pct", bot="bot1", **NEW),
    ]
    answers["snapshot_timestamp"] = [sample(3000, bot="bot1", **OLD), sample(20, bot="bot1", **NEW)]
    answers["sum_over_time"] = [sample(-0.01, bot="bot1", **OLD), sample(0.0002, bot="bot1", **NEW)]
    answers["(hbot_bot_state) == 1"] = [
        sample(1, bot="bot1", state="hard_stop", **OLD),
        sample(1, bot="bot1", state="running", **NEW),
    ]
    answers["hbot_bot_fee_source_info"] = [
        sample(1, bot="bot1", source="manual:x", **OLD),
        sample(1, bot="bot1", source="api:bitget:user_fee_query", **NEW),
    ]


async def test_the_newest_exporter_counts_and_the_other_is_named() -> None:
    """No figure of the old one is in the finding."""
    sources = FakeSources()
    two_exporters(sources)
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.OK
    assert finding.headline == "running (snapshot 20 s old) · net edge +0.02 %, 15 min average +0.02 %"
    assert finding.why == (
        "bot1 is shown by several exporters: exporter:9400 (bot-metrics) is the newest and counts, "
        "exporter-old:9400 (bot-metrics) not"
    )


async def test_other_checks_believe_the_same_exporter() -> None:
    """Scope and fees."""
    sources = FakeSources()
    two_exporters(sources)
    assert (await scope.run(context(sources))).data["bots"]["bot1"] == "running"
    fees = await fee_source.run(context(sources))
    assert (fees.data["bots"]["bot1"]["kind"], fees.status) == ("api", FindingStatus.OK)


async def test_of_exporters_that_are_as_new_and_differ_nobody_is_called_the_newest() -> None:
    """Neither by an equal age nor where none has one: what the chosen one says is not ok then."""
    for ages in ((20, 20), ()):
        sources = FakeSources()
        two_exporters(sources)
        sources.metrics.answers["snapshot_timestamp"] = [
            sample(age, bot="bot1", **whose) for age, whose in zip(ages, (OLD, NEW), strict=False)
        ]
        state, fees = await bot_state.run(context(sources)), await fee_source.run(context(sources))
        assert (state.status, fees.status) == (FindingStatus.CRITICAL, FindingStatus.CRITICAL)
        swapped = {"exporter-old:9400": "exporter:9400", "exporter:9400": "exporter-old:9400"}
        for name, found in sources.metrics.answers.items():
            sources.metrics.answers[name] = [
                sample(each.value, **{**each.labels, "instance": swapped[each.labels["instance"]]})
                for each in found
            ]
        state, fees = await bot_state.run(context(sources)), await fee_source.run(context(sources))
        assert (state.status, fees.status) == (FindingStatus.UNKNOWN, FindingStatus.UNKNOWN)
        assert (await scope.run(context(sources))).data["bots"]["bot1"] == "hard_stop"
        assert state.why.startswith(
            "bot1 is shown by several exporters that say different things, and which is the newest is not known: "
        )


async def test_one_exporter_that_is_scraped_twice_is_no_doubt() -> None:
    """Two jobs of one exporter say the same of one age."""
    sources = FakeSources()
    twice = [{"instance": "exporter:9400", "job": job} for job in ("bot-metrics", "bots-too")]
    sources.metrics.answers["__name__=~"] = [
        sample(1, "hbot_bot_state", bot="bot1", state="running", **whose) for whose in twice
    ]
    sources.metrics.answers["snapshot_timestamp"] = [sample(20, bot="bot1", **whose) for whose in twice]
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.OK
    assert finding.why == (
        "bot1 is shown by several exporters that say the same: "
        "exporter:9400 (bot-metrics) counts, exporter:9400 (bots-too) not"
    )


async def test_an_edge_that_is_no_number_is_said_to_be_missing() -> None:
    """It does not vanish from an ok finding."""
    sources = FakeSources()
    sources.metrics.answers["__name__=~"] = [
        sample(1, "hbot_bot_state", bot="bot1", state="running"),
        sample(math.nan, "hbot_bot_net_edge_pct", bot="bot1"),
        sample(math.nan, "hbot_bot_drawdown_pct", bot="bot1"),
    ]
    finding = await bot_state.run(context(sources))
    assert "net edge not known (it is no number)" in finding.headline
    assert finding.why == "bot1: no number for net edge, drawdown"


async def test_a_host_s_missing_figure_is_named() -> None:
    """NaN memory beside a good CPU."""
    sources = FakeSources()
    sources.metrics.answers["node_cpu"] = [sample(0.3, instance="node-1")]
    sources.metrics.answers["node_memory"] = [sample(math.nan, instance="node-1")]
    sources.metrics.answers["node_filesystem"] = [sample(0.5, instance="node-1", mountpoint="/")]
    finding = await host.run(context(sources))
    assert finding.why == "node-1: no figure of memory"


async def test_a_refused_question_costs_only_itself() -> None:
    """A 422 of the mean leaves state and edge."""
    sources = FakeSources()
    two_exporters(sources)
    usual = sources.metrics.query

    async def query(promql: str, *, at: object = None, partly: bool = False) -> QueryResult:
        if "sum_over_time" in promql:
            raise SourceRejected("Prometheus", "422: execution: too many samples")
        assert at is None
        return await usual(promql, partly=partly)

    object.__setattr__(sources, "metrics", _Refusing(sources.metrics, query))
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.OK
    assert "partly unanswered: 422" in finding.why


class _Refusing:
    """Metrics of which one question is refused."""

    def __init__(self, metrics: object, query: object) -> None:
        self._metrics, self.query = metrics, query

    def __getattr__(self, name: str) -> object:
        return getattr(self._metrics, name)
