from __future__ import annotations

from datetime import UTC, datetime
from math import inf, nan

import pytest

from tests.triage.kpis.grids import filled, grid_of, put, put_values
from triage.kpis.catalogue import CHECKLIST
from triage.kpis.checklist.base_pct_in_band_pct import base_pct_in_band_pct
from triage.kpis.checklist.cancel_within_budget_pct import cancel_within_budget_pct
from triage.kpis.checklist.daily_loss_pct import daily_loss_pct
from triage.kpis.checklist.drawdown_pct import drawdown_pct
from triage.kpis.checklist.fee_source_resolved_pct import fee_source_resolved_pct
from triage.kpis.checklist.flaps import flaps
from triage.kpis.checklist.paper_reject_count import paper_reject_count
from triage.kpis.checklist.risk_hard_stops import risk_hard_stops
from triage.kpis.checklist.running_pct import running_pct
from triage.kpis.checklist.tracking_error import tracking_error
from triage.kpis.checklist.turnover_x import turnover_x
from triage.kpis.limits import KpiLimits
from triage.kpis.model import KpiStatus

LIMITS = KpiLimits()
PASS, FAIL, NOT_MEASURED = KpiStatus.PASS, KpiStatus.FAIL, KpiStatus.NOT_MEASURED


def test_missing_minutes_count_as_not_running_and_it_says_so() -> None:
    """65 rows of 100 minutes, all running, are 65 %, which is just enough."""
    kpi = running_pct(filled(100, ["running"] * 65 + ["-"] * 35), LIMITS)
    assert (kpi.value, kpi.status) == (65.0, PASS)
    assert "35 missing minutes counted as not running" in kpi.why


def test_one_minute_less_than_the_limit_does_not_run_enough() -> None:
    """64 of 100 minutes fail."""
    assert running_pct(filled(100, ["running"] * 64 + ["soft_pause"] * 36), LIMITS).status is FAIL


def test_a_window_without_rows_measures_nothing() -> None:
    """Nobody wrote, so nobody knows: neither a pass nor 0 %."""
    found = {name: each.measure(grid_of(60), LIMITS) for name, each in CHECKLIST.items()}
    assert {kpi.status for kpi in found.values()} == {NOT_MEASURED}
    assert all(kpi.value is None and kpi.why == "no rows in the window" for kpi in found.values())


def test_rows_without_a_state_tell_neither_of_running_nor_of_stops() -> None:
    """An empty field, or a word that is none of the desk's, is no minute without a hard stop."""
    bare = filled(40, ["nan", "RUN"] * 20)
    found = [check(bare, LIMITS) for check in (running_pct, flaps, risk_hard_stops)]
    assert {kpi.status for kpi in found} == {NOT_MEASURED}
    assert found[0].why == "none of the 40 rows has a state that is known"
    half = filled(40, ["running"] * 30 + ["?"] * 10)
    assert "10 minutes with another state or none" in running_pct(half, LIMITS).why
    assert "measured on 30 of 40 rows" in risk_hard_stops(half, LIMITS).why


def test_states_that_change_every_minute_are_flapping() -> None:
    """Each of the nine changes of the burst is counted, the two of the quiet pause later are not."""
    states = ["running", "soft_pause"] * 5 + ["soft_pause"] * 20 + ["running"] * 10
    kpi = flaps(filled(len(states), states), LIMITS)
    assert (kpi.value, kpi.status) == (9, FAIL)
    assert "9 of 10 changes" in kpi.why
    assert "12:01 to 12:09" in kpi.why


def test_pauses_now_and_then_are_no_flapping() -> None:
    """Three changes within ten minutes are allowed, and so are many that lie apart."""
    states = ["running"] * 6 + ["soft_pause"] * 6
    kpi = flaps(filled(120, states * 10), LIMITS)
    assert (kpi.value, kpi.status) == (0, PASS)


def test_going_through_a_hard_stop_is_no_flap() -> None:
    """Only changes between running and soft_pause count."""
    assert flaps(filled(20, ["running", "hard_stop"] * 10), LIMITS).value == 0


def test_turnover_over_midnight_is_the_higher_of_both_days() -> None:
    """The counter is of a day: 2.9 before midnight and 1.2 after it make 2.9, not 4.1."""
    grid = grid_of(4, start=datetime(2026, 2, 20, 23, 58, tzinfo=UTC))
    for minute, value in enumerate((2.8, 2.9, 0.0, 1.2)):
        put(grid, minute, turnover_today_x=value)
    kpi = turnover_x(grid, LIMITS)
    assert (kpi.value, kpi.status) == (2.9, PASS)
    assert "23:59" in kpi.why


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("turnover_today_x", 3.0, PASS),
        ("turnover_today_x", 3.0001, FAIL),
        ("daily_loss_pct", 0.0149, PASS),
        ("daily_loss_pct", 0.015, FAIL),
        ("drawdown_pct", 0.0249, PASS),
        ("drawdown_pct", 0.025, FAIL),
    ],
)
def test_limits_are_reached_as_the_runbook_says(name: str, value: float, status: KpiStatus) -> None:
    """Turnover may be at its limit; loss and drawdown have to stay below theirs."""
    check = {"turnover_today_x": turnover_x, "daily_loss_pct": daily_loss_pct, "drawdown_pct": drawdown_pct}[
        name
    ]
    grid = filled(10)
    put_values(grid, 4, {name: value})
    assert check(grid, LIMITS).status is status


def test_fractions_of_the_files_become_percent() -> None:
    """0.012 in the file is 1.2 %."""
    assert daily_loss_pct(filled(3, daily_loss_pct=0.012), LIMITS).value == pytest.approx(1.2)


def test_a_column_that_half_the_rows_have_is_measured_on_these_and_says_so() -> None:
    """The share is in the text and in measured_pct."""
    grid = filled(10, drawdown_pct=nan)
    for minute in range(5):
        put(grid, minute, second=30, drawdown_pct=0.01)
    kpi = drawdown_pct(grid, LIMITS)
    assert (kpi.value, kpi.status, kpi.measured_pct) == (1.0, PASS, 50.0)
    assert "measured on 5 of 10 rows" in kpi.why


@pytest.mark.parametrize("garbage", [nan, inf, -inf])
def test_what_is_no_number_is_no_measure(garbage: float) -> None:
    """NaN and infinities in a column neither pass nor fail it."""
    kpi = drawdown_pct(filled(5, drawdown_pct=garbage), LIMITS)
    assert (kpi.status, kpi.value) == (NOT_MEASURED, None)
    assert "drawdown_pct" in kpi.why


def test_a_hard_stop_by_a_risk_limit_fails() -> None:
    """A missing minute does not end a stop, a running one does: two stops."""
    grid = filled(20, ["running"] * 6 + ["-"] + ["running"] * 13)
    for minute in (5, 7, 9):
        put(grid, minute, "hard_stop", second=9, reasons="edge_gate_blocked|drawdown_hard_limit")
    kpi = risk_hard_stops(grid, LIMITS)
    assert (kpi.value, kpi.status) == (2, FAIL)
    assert kpi.why.startswith("drawdown_hard_limit; first at 12:05")


def test_a_hard_stop_for_another_reason_passes_and_is_named() -> None:
    """An external kill switch is no risk limit."""
    grid = filled(5)
    put(grid, 2, "hard_stop", second=9, reasons="external_kill_switch")
    kpi = risk_hard_stops(grid, LIMITS)
    assert (kpi.value, kpi.status) == (0, PASS)
    assert "external_kill_switch" in kpi.why


@pytest.mark.parametrize("reasons", [None, ""])
def test_a_hard_stop_without_a_reason_is_not_measured(reasons: str | None) -> None:
    """An old layout has no reasons, a new one may leave them empty: neither is a pass."""
    grid = filled(5)
    put(grid, 2, "hard_stop", second=9, reasons=reasons)
    assert risk_hard_stops(grid, LIMITS).status is NOT_MEASURED


def test_no_hard_stop_at_all_passes_in_a_layout_without_reasons() -> None:
    """Where nothing stopped there is no reason to look for."""
    grid = grid_of(3)
    for minute in range(3):
        put(grid, minute, reasons=None)
    assert risk_hard_stops(grid, LIMITS).status is PASS


def test_a_later_row_of_the_same_minute_does_not_hide_a_risk() -> None:
    """The state of the minute is the later one; the stop and the worst drawdown still count."""
    grid = grid_of(2)
    put(grid, 0, "hard_stop", second=1, reasons="daily_loss_hard_limit", drawdown_pct=0.03)
    put(grid, 0, "running", second=2, drawdown_pct=0.0)
    put(grid, 1)
    assert running_pct(grid, LIMITS).value == 100.0
    assert drawdown_pct(grid, LIMITS).value == 3.0
    assert (risk_hard_stops(grid, LIMITS).value, grid.duplicates) == (1, 1)


def test_an_older_row_that_comes_late_does_not_replace_a_newer_one() -> None:
    """Order of time, not of the file."""
    grid = grid_of(1)
    put(grid, 0, "running", second=40)
    put(grid, 0, "soft_pause", second=3, turnover_today_x=2.0)
    assert running_pct(grid, LIMITS).value == 100.0
    assert turnover_x(grid, LIMITS).value == 2.0


@pytest.mark.parametrize(("within", "status"), [(95, FAIL), (96, PASS)])
def test_cancels_have_to_be_within_budget_in_more_than_95_percent(within: int, status: KpiStatus) -> None:
    """Exactly 95 % is not more than 95 %; the budget itself is within."""
    grid = filled(100, cancel_per_min=50.0)
    for minute in range(within, 100):
        put(grid, minute, second=9, cancel_per_min=51.0)
    kpi = cancel_within_budget_pct(grid, LIMITS)
    assert (kpi.value, kpi.status) == (float(within), status)


@pytest.mark.parametrize("source", ["manual:fee_profiles", "", "unknown"])
def test_one_row_with_an_unresolved_fee_source_fails(source: str) -> None:
    """The source has to remain resolved, and the unresolved one is named."""
    grid = filled(10)
    put(grid, 3, second=9, fee=source)
    kpi = fee_source_resolved_pct(grid, LIMITS)
    assert (kpi.value, kpi.status) == (90.0, FAIL)
    assert (source or "(empty)") in kpi.why


def test_resolved_fallbacks_are_resolved() -> None:
    """``connector:`` and ``project:`` count as ``api:`` does."""
    grid = grid_of(2)
    put(grid, 0, fee="connector:bitget")
    put(grid, 1, fee="project:/home/fees.json")
    assert fee_source_resolved_pct(grid, LIMITS).status is PASS


def test_rejects_during_warm_up_are_forgiven() -> None:
    """A bot that starts with the window may reject for half an hour."""
    grid, before = grid_of(60), grid_of(60)
    for minute in range(60):
        put(grid, minute, paper_reject_count=min(minute, 20))
    kpi = paper_reject_count(grid, LIMITS, before)
    assert (kpi.value, kpi.status) == (0.0, PASS)
    assert "20 during it" in kpi.why


def test_rejects_after_warm_up_count() -> None:
    """The bot ran before the window: all ten rejects of the window are its own, the forty before are not."""
    before = filled(60, paper_reject_count=40.0)
    grid = grid_of(60)
    for minute in range(60):
        put(grid, minute, paper_reject_count=40.0 + min(minute, 10))
    kpi = paper_reject_count(grid, LIMITS, before)
    assert (kpi.value, kpi.status) == (10.0, FAIL)


def test_a_restart_begins_a_warm_up_and_a_new_day_does_not() -> None:
    """The counter falls at 23:50 (a restart) or at 00:00 (a new day): only the first forgives what follows."""
    for fall, value in ((50, 0.0), (60, 8.0)):
        grid = grid_of(90, start=datetime(2026, 2, 20, 23, tzinfo=UTC))
        for minute in range(90):
            put(grid, minute, paper_reject_count=5.0 if minute < fall else min(8, minute - fall))
        before = filled(90, start=datetime(2026, 2, 20, 21, 30, tzinfo=UTC), paper_reject_count=5.0)
        assert paper_reject_count(grid, LIMITS, before).value == value


def test_the_base_share_has_to_stay_inside_its_band() -> None:
    """Both ends are inside; one row outside fails."""
    grid = filled(4, base_pct=0.15)
    put(grid, 1, second=9, base_pct=0.90)
    assert base_pct_in_band_pct(grid, LIMITS).status is PASS
    put(grid, 2, second=9, base_pct=0.901)
    kpi = base_pct_in_band_pct(grid, LIMITS)
    assert (kpi.value, kpi.status) == (75.0, FAIL)


def test_a_large_deviation_that_stands_fails_tracking() -> None:
    """Two hours at 0.3 are four half-hours, three of which are no better than the one before."""
    kpi = tracking_error(filled(120, base_pct=0.8), LIMITS)
    assert (kpi.value, kpi.status) == (90.0, FAIL)
    assert "without shrinking" in kpi.why


def test_a_large_deviation_that_shrinks_slowly_passes_tracking() -> None:
    """From 0.4 to 0.2 in six hours."""
    grid = grid_of(360)
    for minute in range(360):
        put(grid, minute, base_pct=0.9 - 0.2 * minute / 360)
    kpi = tracking_error(grid, LIMITS)
    assert (kpi.value, kpi.status) == (0.0, PASS)


def test_a_deviation_at_the_very_end_is_too_young_to_be_judged() -> None:
    """It passes, and says that it was not judged."""
    grid = filled(120)
    for minute in range(90, 120):
        put(grid, minute, second=9, base_pct=0.8)
    kpi = tracking_error(grid, LIMITS)
    assert kpi.status is PASS
    assert "too young" in kpi.why
