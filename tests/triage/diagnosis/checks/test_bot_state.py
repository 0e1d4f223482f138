"""The check of the bots' states."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW, FakeSources, sample
from tests.triage.diagnosis.checks.context import context
from triage.diagnosis.checks import bot_state
from triage.errors import SourceBadAnswer
from triage.model import FindingStatus
from triage.ports.sources import Series


def with_state(
    sources: FakeSources,
    state: str,
    *,
    bot: str = "bot1",
    age: float = 22.0,
    edge: float = 0.0002,
    regime: str = "calm",
) -> None:
    """Let the metrics show a bot in a state."""
    family = [*sources.metrics.answers.get("__name__=~", ())]
    family += [
        sample(float(each == state), "hbot_bot_state", bot=bot, state=each, regime=regime)
        for each in ("running", "soft_pause", "hard_stop")
    ]
    family.append(sample(edge, "hbot_bot_net_edge_pct", bot=bot, regime=regime))
    answers = sources.metrics.answers
    answers["__name__=~"] = family
    answers["snapshot_timestamp"] = [*answers.get("snapshot_timestamp", ()), sample(age, bot=bot)]
    answers["sum_over_time"] = [*answers.get("sum_over_time", ()), sample(edge, bot=bot)]
    points = tuple((NOW - timedelta(minutes=9 - n), float(n > 5)) for n in range(10))
    sources.metrics.ranges = [*sources.metrics.ranges, Series({"bot": bot, "state": state}, points)]


async def test_a_hard_stop_is_critical_and_says_for_how_long() -> None:
    """State, duration, snapshot age and edge are in one line."""
    sources = FakeSources()
    with_state(sources, "hard_stop")
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline == (
        "stopped for 3 min (snapshot 22 s old) · net edge +0.02 %, 15 min average +0.02 %"
    )
    assert finding.data["bots"]["bot1"]["held_seconds"] == 180.0


async def test_a_frozen_bot_is_never_shown_as_running() -> None:
    """A snapshot older than three minutes makes its state an old story."""
    sources = FakeSources()
    with_state(sources, "running", age=700)
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline.startswith("frozen: last snapshot 11 min old, it said running then")
    assert finding.data["bots"]["bot1"]["frozen"] is True


async def test_a_running_bot_that_loses_is_a_warning() -> None:
    """The average of 15 minutes counts, not the moment."""
    sources = FakeSources()
    with_state(sources, "running", edge=-0.0004)
    finding = await bot_state.run(context(sources))
    assert finding.status is FindingStatus.WARNING
    assert "net edge -0.04 %" in finding.headline


async def test_a_bot_without_series_is_unknown_and_named() -> None:
    """No data is not a state, and not 0."""
    finding = await bot_state.run(context(FakeSources()))
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.why == "no hbot_bot_state series for bot1"


async def test_two_regimes_at_once_show_the_more_urgent_state() -> None:
    """The label regime changes with the market: a bot is not one series."""
    sources = FakeSources()
    with_state(sources, "running", regime="calm")
    with_state(sources, "soft_pause", regime="wild")
    finding = await bot_state.run(context(sources))
    assert finding.data["bots"]["bot1"]["state"] == "soft_pause"


async def test_a_desk_wide_triage_has_a_line_a_bot() -> None:
    """Several bots are one finding; the worst decides."""
    sources = FakeSources()
    with_state(sources, "running", bot="bot1")
    with_state(sources, "hard_stop", bot="bot2")
    finding = await bot_state.run(context(sources, "bot1", "bot2"))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline == "running: bot1 · stopped: bot2"
    assert [line.split(":")[0] for line in finding.details] == ["bot1", "bot2"]


async def test_guard_reasons_are_split_and_none_is_no_reason() -> None:
    """`reasons` joins them with a bar."""
    sources = FakeSources()
    with_state(sources, "hard_stop")
    info = sample(1, "hbot_bot_risk_reasons_info", bot="bot1", reasons="high_vol|drawdown_hard_limit|none")
    sources.metrics.answers["__name__=~"] = [*sources.metrics.answers["__name__=~"], info]
    finding = await bot_state.run(context(sources))
    assert finding.data["bots"]["bot1"]["reasons"] == ["drawdown_hard_limit", "high_vol"]
    assert "stopped for 3 min: drawdown limit, high volatility" in finding.headline


async def test_values_that_are_no_numbers_are_not_measured() -> None:
    """NaN is a legal value in Prometheus and no edge."""
    sources = FakeSources()
    with_state(sources, "running", edge=float("nan"))
    finding = await bot_state.run(context(sources))
    assert finding.data["bots"]["bot1"]["net_edge"] is None
    assert finding.status is FindingStatus.OK
    assert "net edge not known (it is no number)" in finding.headline


async def test_an_average_that_is_not_there_is_said() -> None:
    """Of the two figures that the check promises neither goes without a word."""
    sources = FakeSources()
    with_state(sources, "running", edge=0.0003)
    sources.metrics.answers["sum_over_time"] = []
    finding = await bot_state.run(context(sources))
    assert "net edge +0.03 %, 15 min average not known" in finding.headline


async def test_a_partial_answer_is_said() -> None:
    """Prometheus' warnings are a caveat of the finding, also those of the look back."""
    sources = FakeSources()
    with_state(sources, "running")
    sources.metrics.warnings, sources.metrics.range_warnings = ("remote read failed",), ("store-3 is away",)
    assert (await bot_state.run(context(sources))).why == "partial: remote read failed; store-3 is away"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 1], (120.0, True)),
        ([0, 1, 1], (60.0, False)),
        ([1, 0], (None, False)),
        ([], (None, True)),
    ],
)
def test_how_long_a_state_is_held(values: list[int], expected: tuple[float | None, bool]) -> None:
    """Back to the first 1 without a break; the whole look-back is a lower bound."""
    points = tuple((NOW - timedelta(minutes=len(values) - 1 - n), float(v)) for n, v in enumerate(values))
    assert bot_state.held(Series({}, points), NOW) == expected


def test_a_gap_in_the_series_ends_the_look_back() -> None:
    """Before a gap of many minutes nothing is known."""
    points = ((NOW - timedelta(hours=2), 1.0), (NOW - timedelta(minutes=1), 1.0), (NOW, 1.0))
    assert bot_state.held(Series({}, points), NOW) == (60.0, True)


async def test_a_series_that_cannot_be_read_costs_its_bot_alone() -> None:
    """The others' states are told; of the bot without one it is not said that it shows none."""
    sources = FakeSources()
    with_state(sources, "running", bot="bot1")
    sources.metrics.unread["__name__=~"] = 1
    finding = await bot_state.run(context(sources, "bot1", "bot2"))
    assert finding.status is FindingStatus.UNKNOWN
    assert list(finding.data["bots"]) == ["bot1"]
    assert finding.headline == "running: bot1"
    assert finding.why.startswith("no state that can be read of bot2; partial: 1 of the ")
    with pytest.raises(SourceBadAnswer, match="cannot be read"):
        await bot_state.run(context(sources, "bot2"))


async def test_a_bad_state_stays_bad_beside_what_cannot_be_read() -> None:
    """What was read is true; only "well" is not concluded."""
    sources = FakeSources()
    with_state(sources, "hard_stop")
    sources.metrics.unread["__name__=~"] = 1
    assert (await bot_state.run(context(sources))).status is FindingStatus.CRITICAL


async def test_a_bot_whose_age_cannot_be_read_is_not_well() -> None:
    """It may be frozen, or shown by an exporter that is older than another one."""
    sources = FakeSources()
    with_state(sources, "running")
    sources.metrics.answers["snapshot_timestamp"] = []
    sources.metrics.unread["snapshot_timestamp"] = 1
    assert (await bot_state.run(context(sources))).status is FindingStatus.UNKNOWN
