from __future__ import annotations

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sources.minute_csv.reading import DigestWindow, VariantReading, read_variant
from tests.bot.sources.minute_csv import naive
from tests.bot.sources.minute_csv.files import HEADERS, MIDNIGHT, folder_of, row, write
from triage.kpis.limits import KpiLimits
from triage.kpis.model import IncidentFigures, KpiStatus
from triage.kpis.report import bot_report

if TYPE_CHECKING:
    from triage.kpis.model import BotReport

HOURS = 3
START = MIDNIGHT - timedelta(hours=HOURS)
LAYOUTS = (14, 21, 24, 33, 36)
BAND = (Decimal("0.15"), Decimal("0.9"))


def archive(rnd: Random, folder: Path) -> None:
    """Write six hours of irregular files: gaps, rotations, old rows below new headers, duplicates, disorder."""
    lines: list[tuple[int, str]] = []
    state, layout, equity, base = "running", rnd.choice(LAYOUTS), 1000.0, 0.5
    gap = rnd.choice((0.0, 0.02, 0.3, 1.0))
    change = rnd.choice((0.02, 0.6))
    for minute in range(-HOURS * 60, HOURS * 60):
        if rnd.random() < change:
            state = rnd.choice(("running", "soft_pause", "running", "soft_pause", "hard_stop", "odd"))
        if rnd.random() < 0.02:
            layout = rnd.choice(LAYOUTS)
        base = min(1.0, max(0.0, base + rnd.uniform(-0.05, 0.05)))
        equity += rnd.uniform(-2, 2)
        if rnd.random() < gap:
            continue
        for _ in range(rnd.choice((1, 1, 1, 1, 2))):
            lines.append((layout, _row(rnd, minute, layout, state, (f"{equity:.10f}", f"{base:.28f}"))))
            state = rnd.choice((state, "running"))
    for _ in range(rnd.randrange(6)):
        if len(lines) > 3:
            at = rnd.randrange(len(lines) - 2)
            lines.insert(at + rnd.randrange(3), lines.pop(at))
    _write(rnd, folder, lines)


def _row(rnd: Random, minute: int, layout: int, state: str, account: tuple[str, str]) -> str:
    equity, base = account

    def odd(value: str) -> str:
        return rnd.choice((value, value, value, value, "nan", "", "inf", "0E-10", "0E+10", "junk"))

    return row(
        START + timedelta(minutes=minute, seconds=rnd.randrange(60), microseconds=rnd.randrange(10**6)),
        layout,
        state=state,
        equity_quote=equity,
        base_pct=rnd.choice((base, base, "nan")),
        target_base_pct=rnd.choice(("0.50", "0.5", "0E-10")),
        turnover_today_x=odd(f"{rnd.uniform(0, 3.5):.20f}"),
        cancel_per_min=odd(str(rnd.randrange(70))),
        daily_loss_pct=odd(f"{rnd.uniform(0, 0.02):.28f}"),
        drawdown_pct=odd(f"{rnd.uniform(0, 3e-2):E}"),
        risk_reasons=rnd.choice(("drawdown_hard_limit", "fee_unresolved|edge_gate_blocked", ""))
        if state == "hard_stop"
        else "base_pct_below_min",
        fee_source=rnd.choice(("api:x", "connector:y", "project:/z", "manual:x", "", "unknown"))
        if rnd.random() < 0.1
        else "api:x",
    )


def _write(rnd: Random, folder: Path, lines: list[tuple[int, str]]) -> None:
    cuts = sorted(rnd.randrange(len(lines) + 1) for _ in range(rnd.randrange(3)))
    headers = [rnd.choice(LAYOUTS) for _ in range(len(cuts) + 1)]
    if any(layout == 36 for layout, _ in lines):  # a layout that is not known by heart has to be in a header
        headers[rnd.randrange(len(headers))] = 36
    parts = [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    for index, part in enumerate(parts):
        texts = [text for _, text in part]
        if rnd.random() < 0.3:
            texts.insert(
                rnd.randrange(len(texts) + 1), rnd.choice(("", "\0\0\0", "what,is,this", "ts", "2026-"))
            )
        name = "minute.csv" if index == len(parts) - 1 else f"minute.legacy_20260220T2{index}0000Z.csv"
        path = write(folder / name, HEADERS[headers[index]], texts)
        if part and rnd.random() < 0.3:
            unfinished = row(MIDNIGHT - timedelta(minutes=1), part[-1][0])
            with path.open("a") as file:
                file.write(unfinished[: rnd.randrange(1, unfinished.rindex(","))])


def measured(folder: Path) -> tuple[BotReport, VariantReading]:
    """Return the project's own report."""
    reading = read_variant(folder, "a", DigestWindow.of(START, MIDNIGHT))
    report = bot_report(
        bot="bot1",
        variant="a",
        grid=reading.grid,
        before=reading.before,
        fills=reading.fills,
        fills_before=reading.fills_before,
        coverage=reading.coverage,
        incidents=IncidentFigures(),
        limits=KpiLimits(),
    )
    return report, reading


def same(value: float | None, expected: Decimal | float | None) -> bool:
    """Return whether two numbers are the same, or both absent."""
    if value is None or expected is None:
        return value is None and expected is None
    return value == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**48))
def test_kpis_are_those_of_an_independent_calculation(seed: int) -> None:
    """Whatever the files look like, both say the same, of the window and of the period before.

    A seed makes the files: six hours of choices are more than hypothesis would make and shrink one by one.
    """
    rnd = Random(seed)  # noqa: S311 - the dice of a test
    with tempfile.TemporaryDirectory() as data:
        folder = folder_of(Path(data))
        archive(rnd, folder)
        report, reading = measured(folder)
        found = naive.minutes(folder, START, MIDNIGHT)
        before = naive.minutes(folder, START - (MIDNIGHT - START), START)
    assert reading.coverage.present == len(found)
    assert reading.coverage.rows == sum(len(minute.all) for minute in found)
    low, high = BAND
    for name, expected in {
        "running_pct": naive.running_pct(found, HOURS * 60),
        "turnover_x": naive.worst(found, "turnover"),
        "daily_loss_pct": _percent(naive.worst(found, "loss")),
        "drawdown_pct": _percent(naive.worst(found, "drawdown")),
        "cancel_within_budget_pct": naive.share(found, "cancels", lambda value: value <= 50),
        "base_pct_in_band_pct": naive.share(found, "base", lambda value: low <= value <= high),
        "fee_source_resolved_pct": naive.resolved(found),
        "flaps": naive.flaps(found) if found else None,
        "tracking_error": naive.tracking(found),
    }.items():
        assert same(report.kpi(name).value, expected), name
        assert (report.kpi(name).status is KpiStatus.NOT_MEASURED) == (expected is None), name
    _assert_stops(report, found)
    assert same(report.trading.pnl_quote, naive.pnl(found))
    if before:
        assert same(report.kpi("turnover_x").before, naive.worst(before, "turnover"))


def _percent(value: Decimal | None) -> Decimal | None:
    return None if value is None else 100 * value


def _assert_stops(report: BotReport, found: list[naive.Minute]) -> None:
    stops, by_risk = naive.risk_stops(found)
    kpi = report.kpi("risk_hard_stops")
    if by_risk:
        assert (kpi.value, kpi.status) == (by_risk, KpiStatus.FAIL)
    elif found and not stops:
        assert (kpi.value, kpi.status) == (0, KpiStatus.PASS)
    else:
        assert kpi.status is not KpiStatus.FAIL
