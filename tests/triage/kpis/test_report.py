from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import nan

import pytest

from tests.triage.kpis.grids import NOON, filled, grid_of, put, report_of
from triage.kpis.catalogue import CHECKLIST
from triage.kpis.checklist.paper_reject_count import paper_reject_count
from triage.kpis.fills import FillTally, number
from triage.kpis.limits import KpiLimits
from triage.kpis.model import Coverage, DigestReport, IncidentNote, KpiStatus, KpiVerdict, Skipped
from triage.kpis.report import held_by, incident_figures, kpis, not_understood, with_others
from triage.kpis.thinning import bot_picture
from triage.kpis.trading import trading

LIMITS = KpiLimits()
NAMES = [
    "running_pct",
    "flaps",
    "turnover_x",
    "daily_loss_pct",
    "drawdown_pct",
    "risk_hard_stops",
    "cancel_within_budget_pct",
    "fee_source_resolved_pct",
    "paper_reject_count",
    "base_pct_in_band_pct",
    "tracking_error",
]


def fill(**fields: str) -> dict[str, str]:
    """Return a fill's fields."""
    return {"side": "buy", "notional_quote": "10", "fee_quote": "0.01", **fields}


def test_a_good_day_meets_the_checklist() -> None:
    """Nothing holds it; gates that no fill can measure do not."""
    report = report_of(filled(60), LIMITS)
    assert (report.verdict, report.held_by) == (KpiVerdict.MEETS, ())
    assert [gate.name for gate in report.gates if gate.status is KpiStatus.NOT_MEASURED] == ["profit_factor"]


def test_a_kpi_that_was_not_measured_holds() -> None:
    """Never a pass."""
    report = report_of(filled(60, paper_reject_count=nan), LIMITS)
    assert report.verdict is KpiVerdict.HOLD
    assert report.held_by[0].startswith("paper_reject_count not measured")


def test_a_kpi_that_passes_on_a_few_rows_holds() -> None:
    """Ten of sixty rows are thin evidence."""
    grid = filled(60, drawdown_pct=nan)
    for minute in range(10):
        put(grid, minute, second=9)
    assert report_of(grid, LIMITS).held_by == ("drawdown_pct passes on 17 % of the rows only",)


def test_a_failed_gate_holds() -> None:
    """A losing day is not for more capital, though the checklist passes."""
    tally = FillTally(0.0, readable=True)
    tally.add(5.0, fill(realized_pnl_quote="-2"))
    tally.add(6.0, fill(realized_pnl_quote="2"))
    report = report_of(filled(60), LIMITS, tally)
    assert report.held_by == ("gate profit_factor: 1.00, above 1.25 asked",)


def test_every_kpi_of_the_contract_is_there_in_its_order() -> None:
    """Each file of the folder is one of them."""
    assert list(CHECKLIST) == NAMES
    assert [kpi.name for kpi in report_of(grid_of(10), LIMITS).kpis] == NAMES


def test_a_change_is_told_against_the_period_before() -> None:
    """3 of 4 running minutes after 1 of 4; a period before without rows is no comparison."""
    now = filled(4, ["running", "running", "running", "soft_pause"])
    was = filled(4, ["running", "soft_pause", "soft_pause", "soft_pause"])
    running = kpis(now, LIMITS, was)[0]
    assert (running.value, running.before, running.change) == (75.0, 25.0, 50.0)
    assert kpis(now, LIMITS, grid_of(4))[0].before is None


def test_a_second_variant_that_breaks_a_risk_limit_holds_the_bot() -> None:
    """The other variant traded with the same bot's money."""
    other = replace(report_of(filled(60, drawdown_pct=0.05), LIMITS), variant="b")
    both = with_others(report_of(filled(60), LIMITS), (other,))
    assert both.verdict is KpiVerdict.HOLD
    assert both.held_by[0].startswith("variant b, drawdown_pct: worst 5.00 %")


def test_the_json_is_what_the_contract_promises() -> None:
    """Times in UTC with a Z, statuses as words, nothing that JSON does not know."""
    report = DigestReport(NOON, NOON + timedelta(hours=1), (report_of(filled(60), LIMITS),))
    body = report.to_json()
    assert body["window"] == {"start": "2026-02-20T12:00:00Z", "end": "2026-02-20T13:00:00Z"}
    bot = body["bots"][0]
    assert (bot["bot"], bot["coverage_pct"], bot["verdict"]) == ("bot1", 100.0, "meets")
    assert (
        bot["kpis"][0].items()
        >= {"name": "running_pct", "value": 100.0, "limit": 65.0, "status": "pass"}.items()
    )


def test_pnl_is_the_change_of_equity_without_jumps_of_the_account() -> None:
    """10 up, then another account of 9000 (left out), then 5 down."""
    grid = grid_of(4)
    for minute, equity in enumerate((1000.0, 1010.0, 9000.0, 8995.0)):
        put(grid, minute, equity_quote=equity)
    result = trading(grid, FillTally(grid.at(0)))
    assert result.pnl_quote == pytest.approx(5.0)
    assert any("another account" in note for note in result.notes)


def test_fills_are_added_up() -> None:
    """Fees, volume, sides, maker share by volume, profit factor."""
    tally = FillTally(0.0, readable=True)
    tally.add(0.0, fill(is_maker="True", realized_pnl_quote="3"))
    tally.add(61.0, fill(side="sell", notional_quote="30", is_maker="False", realized_pnl_quote="-2"))
    tally.add(62.0, fill(notional_quote="nan", fee_quote="oops", realized_pnl_quote="0E-10"))
    result = trading(grid_of(2), tally)
    assert (result.fills, result.buys, result.sells) == (3, 2, 1)
    assert (result.volume_quote, result.fees_quote) == (40.0, 0.02)
    assert (result.maker_share_pct, result.profit_factor, result.realized_pnl_quote) == (25.0, 1.5, 1.0)
    assert tally.marks == {0: (1, 0), 1: (1, 1)}


def test_what_the_files_do_not_have_is_unknown_and_not_zero() -> None:
    """Without fills.csv there is no number of fills."""
    result = trading(grid_of(2), FillTally(0.0))
    assert (result.fills, result.fees_quote, result.pnl_quote) == (None, None, None)
    assert len(result.notes) == 2


@pytest.mark.parametrize(("text", "value"), [("0E-10", 0.0), ("0E+10", 0.0), ("1.5", 1.5), ("-2e-3", -0.002)])
def test_scientific_zeros_are_zeros(text: str, value: float) -> None:
    """As Python's Decimal writes them."""
    assert number(text) == value


def test_incidents_of_the_window_give_their_mean_times() -> None:
    """One resolved, one open, one of another bot, one long before."""
    hour = timedelta(hours=1)
    notes = [
        IncidentNote(
            id="INC-1",
            title="a",
            started_at=NOON,
            bots=("bot1",),
            severity="",
            acknowledged_at=NOON + hour / 60,
            resolved_at=NOON + hour / 2,
        ),
        IncidentNote(
            id="INC-2",
            title="b",
            started_at=NOON + hour,
            bots=(),
            severity="",
            acknowledged_at=NOON + hour + hour / 20,
        ),
        IncidentNote("INC-3", "c", NOON, ("bot2",)),
        IncidentNote(
            id="INC-4",
            title="d",
            started_at=NOON - 9 * hour,
            bots=("bot1",),
            severity="",
            acknowledged_at=None,
            resolved_at=NOON - 8 * hour,
        ),
    ]
    figures = incident_figures(notes, "bot1", NOON, NOON + 2 * hour)
    assert (figures.count, figures.unresolved) == (2, ("INC-2",))
    assert (figures.acknowledge_seconds, figures.resolve_seconds) == (120.0, 1800.0)


@pytest.mark.parametrize(
    ("name", "value"), [("base_pct", (0.9, 0.1)), ("turnover_x_max", nan), ("running_pct_min", -1)]
)
def test_a_limit_that_is_none_is_refused_by_name(name: str, value: object) -> None:
    """The setting is in the text."""
    with pytest.raises(ValueError, match=name):
        KpiLimits(**{name: value})  # type: ignore[arg-type]


def test_a_bot_overrides_what_it_names() -> None:
    """None keeps the desk's limit."""
    own = LIMITS.override(cancel_budget_per_min=80, base_pct=None)
    assert (own.cancel_budget_per_min, own.base_pct) == (80, (0.15, 0.90))


def test_a_kpi_that_the_writer_never_records_is_allowed_to_be_missing_by_a_setting() -> None:
    """Off by default: then it holds the verdict, and says which setting would let it be."""
    missing = paper_reject_count(filled(10, paper_reject_count=nan), LIMITS)
    assert missing.status is KpiStatus.NOT_MEASURED
    assert missing.why == (
        "none of the 10 rows has a value in paper_reject_count; where the writer never records it, "
        "kpis.may_be_missing in desk.yaml can allow that"
    )
    assert held_by([missing], (), LIMITS) == (f"paper_reject_count not measured: {missing.why}",)
    assert held_by([missing], (), KpiLimits(may_be_missing=("paper_reject_count",))) == ()
    with pytest.raises(ValueError, match="may_be_missing: 'rejects' is no KPI"):
        KpiLimits(may_be_missing=("rejects",))


def test_what_may_be_missing_is_not_allowed_to_go_missing() -> None:
    """The period before has it, so the writer records it: then its absence is no habit of the writer."""
    allowed = KpiLimits(may_be_missing=("paper_reject_count",))
    grid, before = filled(10, paper_reject_count=nan), filled(10, start=NOON - timedelta(minutes=10))
    missing = next(kpi for kpi in kpis(grid, allowed, before) if kpi.name == "paper_reject_count")
    assert missing.why == "none of the 10 rows has a value in paper_reject_count; the period before has it"
    assert held_by([missing], (), allowed) == (f"paper_reject_count not measured: {missing.why}",)


def test_a_window_without_a_row_holds_whatever_may_be_missing() -> None:
    """Nothing was seen of it: that meets nothing."""
    report = report_of(grid_of(60), KpiLimits(may_be_missing=tuple(NAMES)))
    assert report.verdict is KpiVerdict.HOLD
    assert report.held_by == ("no minute of the window has a row",)
    assert {kpi.value for kpi in report.kpis} == {None}


def test_states_that_nobody_knows_are_not_called_missing_nor_minutes_that_did_not_run() -> None:
    """The rows have a word for their state; the picture has no share of it either."""
    grid = filled(10, ["weird"] * 10)
    report = report_of(grid, LIMITS)
    running = report.kpi("running_pct")
    assert (running.value, running.why) == (None, "none of the 10 rows has a state that is known")
    picture = bot_picture(report=report, grid=grid, fills=FillTally(grid.at(0)), limits=LIMITS)
    assert picture.facts[0] == "running not measured"


def test_equity_beyond_all_reckoning_gives_no_profit() -> None:
    """A sum that is no number is not shown as one."""
    grid = grid_of(4)
    for minute, equity in enumerate((1e308, 1e308, -1e308, -1e308)):
        put(grid, minute, equity_quote=equity)
    result = trading(grid, FillTally(grid.at(0)))
    assert (result.pnl_quote, result.pnl_pct) == (None, None)
    assert "equity is no amount to reckon with: PnL unknown" in result.notes


def test_lines_that_nobody_understands_hold_the_verdict() -> None:
    """Above a share: what could be read says too little; one of them is named."""
    few = Coverage(60, 60, rows=95, skipped=(Skipped("ragged row", 5, "minute.csv:120"),))
    many = Coverage(60, 60, rows=50, skipped=(Skipped("ragged row", 50, "minute.csv:120"),))
    assert not_understood(few) == ()
    assert not_understood(many) == ("50 of 100 lines not understood (ragged row, first in minute.csv:120)",)
