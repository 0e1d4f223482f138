"""A bot's report out of its minutes, fills and incidents: KPIs, gates, result, verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triage.kpis.catalogue import CHECKLIST
from triage.kpis.model import BotReport, IncidentFigures, KpiStatus, KpiVerdict
from triage.kpis.trading import gates, trading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from triage.kpis.definition import KpiDefinition
    from triage.kpis.fills import FillTally
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import CapitalGate, Coverage, IncidentNote, Kpi

_UNREAD_SHARE = 0.2
"""Above this share of lines that could not be read, what could be says too little."""


def kpis(grid: MinuteGrid, limits: KpiLimits, before: MinuteGrid) -> tuple[Kpi, ...]:
    """Return every KPI of the checklist, each with its change against the window before."""
    return tuple(
        _with_change(_measured(each, grid, limits, before), each.measure(before, limits))
        for each in CHECKLIST.values()
    )


def _measured(one: KpiDefinition, grid: MinuteGrid, limits: KpiLimits, before: MinuteGrid) -> Kpi:
    if one.measure_after is not None:
        return one.measure_after(grid, limits, before)
    return one.measure(grid, limits)


def _with_change(now: Kpi, was: Kpi) -> Kpi:
    """Add the value of the window before; a window that was wholly empty is no comparison."""
    if was.value is None or (now.name == "running_pct" and was.why.startswith("running in 0 of")):
        return now
    change = None if now.value is None else now.value - was.value
    return replace(now, before=was.value, change=change)


def incident_figures(
    incidents: Iterable[IncidentNote], bot: str, start: datetime, end: datetime
) -> IncidentFigures:
    """Return the figures of the incidents of a bot that were open at any time of the window."""
    mine = [
        note
        for note in incidents
        if note.concerns(bot)
        and note.started_at < end
        and (note.resolved_at is None or note.resolved_at >= start)
    ]
    return IncidentFigures(
        count=len(mine),
        unresolved=tuple(note.id for note in mine if note.resolved_at is None or note.resolved_at >= end),
        acknowledge_seconds=_mean([_seconds(note.started_at, note.acknowledged_at) for note in mine]),
        resolve_seconds=_mean([_seconds(note.started_at, note.resolved_at) for note in mine]),
    )


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds()


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def bot_report(
    *,
    bot: str,
    variant: str,
    grid: MinuteGrid,
    before: MinuteGrid,
    fills: FillTally,
    fills_before: FillTally,
    coverage: Coverage,
    incidents: IncidentFigures,
    limits: KpiLimits,
) -> BotReport:
    """Return the report of one variant of a bot."""
    measured = kpis(grid, limits, before)
    result = trading(grid, fills)
    conditions = gates(measured, result, incidents, limits)
    held = (*held_by(measured, conditions, limits), *not_seen(coverage), *not_understood(coverage))
    return BotReport(
        bot=bot,
        variant=variant,
        coverage_pct=coverage.pct,
        verdict=KpiVerdict.HOLD if held else KpiVerdict.MEETS,
        held_by=held,
        kpis=measured,
        gates=conditions,
        trading=result,
        trading_before=trading(before, fills_before),
        coverage=coverage,
        incidents=incidents,
    )


def held_by(measured: Iterable[Kpi], conditions: Iterable[CapitalGate], limits: KpiLimits) -> tuple[str, ...]:
    """Return what keeps the verdict at hold: failed or unmeasured KPIs, thin evidence, failed gates.

    A KPI that may be missing holds where the period before has it: then the writer does record it.
    A gate that was not measured is shown as such and does not hold: the checklist is the KPIs.
    """
    held: list[str] = []
    for kpi in measured:
        missing = kpi.status is KpiStatus.NOT_MEASURED and kpi.before is None
        if missing and kpi.name in limits.may_be_missing:
            continue
        if kpi.status is KpiStatus.NOT_MEASURED:
            held.append(f"{kpi.name} not measured: {kpi.why}")
        elif kpi.status is KpiStatus.FAIL:
            held.append(f"{kpi.name}: {kpi.why}")
        elif kpi.measured_pct < limits.evidence_pct_min:
            held.append(f"{kpi.name} passes on {kpi.measured_pct:.0f} % of the rows only")
    failed = [gate for gate in conditions if gate.status is KpiStatus.FAIL]
    return (*held, *(f"gate {gate.name}: {gate.why}" for gate in failed))


def not_seen(coverage: Coverage) -> tuple[str, ...]:
    """Return what holds the verdict where there is no row to judge by, whatever may be missing."""
    return () if coverage.present else ("no minute of the window has a row",)


def not_understood(coverage: Coverage) -> tuple[str, ...]:
    """Return what holds the verdict where too many lines of the window could not be read."""
    count = sum(each.count for each in coverage.skipped)
    if count <= _UNREAD_SHARE * (coverage.rows + count):
        return ()
    worst = max(coverage.skipped, key=lambda each: each.count)
    return (
        f"{count} of {coverage.rows + count} lines not understood ({worst.reason}, first in {worst.first})",
    )


def with_others(report: BotReport, others: tuple[BotReport, ...]) -> BotReport:
    """Add the bot's further variants; one that fails a risk KPI holds the bot's verdict too."""
    held = [
        f"variant {other.variant}, {kpi.name}: {kpi.why}"
        for other in others
        for kpi in other.kpis
        if CHECKLIST[kpi.name].is_risk and kpi.status is KpiStatus.FAIL
    ]
    verdict = KpiVerdict.HOLD if held else report.verdict
    return replace(report, others=others, verdict=verdict, held_by=(*report.held_by, *held))
