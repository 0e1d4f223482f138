"""A bot's KPIs as lines for people: value, limit, passed or not and why, the change against the period before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from triage.kpis.catalogue import CHECKLIST
from triage.kpis.model import (
    BotReport,
    CapitalGate,
    Coverage,
    IncidentFigures,
    Kpi,
    KpiStatus,
    KpiVerdict,
    TradingResult,
)
from triage.ports.chat import Line, Mark
from triage.wording import counted, decimal, duration, listed, times

UNRESOLVED = "unresolved_incidents"
_GATES: Mapping[str, str] = {
    "turnover": "turnover",
    "profit_factor": "profit factor",
    "drawdown": "drawdown",
    UNRESOLVED: "unresolved incidents",
}
_MARKS = {KpiStatus.PASS: Mark.GOOD, KpiStatus.FAIL: Mark.BAD, KpiStatus.NOT_MEASURED: Mark.UNKNOWN}
_WORDS = {KpiStatus.PASS: "pass", KpiStatus.FAIL: "fail", KpiStatus.NOT_MEASURED: "not measured"}
_GAP_WORTH_TELLING = 5
_NOT_READ = " lines not understood"


def name_of_kpi(name: str) -> str:
    """Return how people call a KPI or a gate."""
    known = CHECKLIST.get(name)
    return known.title if known is not None else _GATES.get(name) or name.replace("_", " ")


def amount(value: float, unit: str, *, signed: bool = False) -> str:
    """Return a value with its unit: ``97.2 %``, ``0.04x``, ``11 changes``."""
    text = _digits(value, signed=signed)
    return f"{text}x" if unit == "x" else f"{text} {unit}".rstrip()


def _digits(value: float, *, signed: bool = False) -> str:
    places = 0 if value == round(value) else 2 if abs(value) < 10 else 1  # noqa: PLR2004 - three figures are read
    return decimal(value, places, signed=signed).replace("-", "−")  # noqa: RUF001 - the sign of a number


def kpi_line(kpi: Kpi) -> Line:
    """Return one KPI. A pass is short; anything else says why."""
    name, mark, word = name_of_kpi(kpi.name), _MARKS[kpi.status], _WORDS[kpi.status]
    if kpi.value is None:
        return Line(f"{word}: {kpi.why}", name=name, mark=mark)
    asked = _asked(kpi)
    parts = [f"{word} · {amount(kpi.value, kpi.unit)} ({asked})"]
    if kpi.before is not None and kpi.change:
        parts.append(f"was {amount(kpi.before, kpi.unit)}")
    if kpi.status is not KpiStatus.PASS:
        parts.append(kpi.why)
    elif kpi.measured_pct < 100:  # noqa: PLR2004 - a share of less than all of the rows is said
        parts.append(f"measured on {kpi.measured_pct:.0f} % of the rows")
    return Line(" · ".join(parts), name=name, mark=mark)


def _asked(kpi: Kpi) -> str:
    if not kpi.limit:
        return "none allowed"
    unit = "x" if kpi.unit == "x" else f" {kpi.unit}" if kpi.unit == "%" else ""
    return CHECKLIST[kpi.name].asked.format(f"{kpi.limit:g}{unit}")


def verdict_line(report: BotReport) -> Line:
    """Return the verdict and, in few words, what holds it."""
    if not report.coverage.present:
        return Line(f"hold: {_nothing(report)}", name=report.bot, mark=Mark.UNKNOWN)
    if report.verdict is KpiVerdict.MEETS:
        return Line("meets the checklist", name=report.bot, mark=Mark.GOOD)
    failed = [_short(kpi) for kpi in report.kpis if kpi.status is KpiStatus.FAIL]
    failed += [_gate(gate) for gate in report.gates if gate.status is KpiStatus.FAIL]
    unmeasured = [name_of_kpi(kpi.name) for kpi in report.kpis if _holds_unmeasured(kpi, report)]
    reasons = [listed(failed, 6)] if failed else []
    if unmeasured:
        reasons.append(f"not measured: {listed(unmeasured, 6).lower()}")
    reasons += [held for held in report.held_by if held.startswith("variant ") or _NOT_READ in held]
    thin = [held for held in report.held_by if " passes on " in held]
    if thin:
        reasons.append(f"{counted(len(thin), 'KPI')} measured on too few rows")
    mark = Mark.BAD if failed else Mark.WARN
    return Line(f"hold: {'; '.join(reasons)}", name=report.bot, mark=mark)


def _holds_unmeasured(kpi: Kpi, report: BotReport) -> bool:
    """Return whether a KPI holds the verdict because nothing is known of it: one that may be missing does not."""
    return any(held.startswith(f"{kpi.name} not measured") for held in report.held_by)


def unmeasured_line(bot: str) -> Line:
    """Return the verdict on a bot of which there is no report: what nobody measured meets nothing."""
    return Line("hold: could not be measured", name=bot, mark=Mark.UNKNOWN)


def _nothing(report: BotReport) -> str:
    """Say why no minute is known: nobody wrote one, or what was written could not be read."""
    refused = [note for note in report.coverage.notes if " could not be read: " in note]
    skipped = [f"{each.reason} {times(each.count)}" for each in report.coverage.skipped]
    if not refused and not skipped:
        return "not a single minute was written"
    return f"not a single row could be read ({listed([*refused, *skipped], 3)})"


def with_result(report: BotReport) -> Line:
    """Return the verdict with the profit or loss behind it: a bot in one line."""
    line, pnl = verdict_line(report), report.trading.pnl_quote
    if pnl is None:
        return line
    return replace(line, text=f"{line.text} · PnL {_digits(pnl, signed=True)}")


def _short(kpi: Kpi) -> str:
    value = f" {amount(kpi.value, kpi.unit)}" if kpi.value is not None else ""
    return f"{name_of_kpi(kpi.name).lower()}{value}"


def _gate(gate: CapitalGate) -> str:
    """Return why a gate holds: ``gate: INC-4 unresolved``, ``gate: turnover (3.20x, below 2.5 asked)``."""
    own = gate.name == UNRESOLVED  # its reason is a sentence by itself
    return f"gate: {gate.why if own else f'{name_of_kpi(gate.name)} ({gate.why})'}"


def result_line(now: TradingResult, before: TradingResult) -> Line:
    """Return the trading result in one line; what the files do not have is said."""
    parts = []
    if now.pnl_quote is not None:
        share = f" ({amount(now.pnl_pct, '%', signed=True)})" if now.pnl_pct is not None else ""
        was = f", was {_digits(before.pnl_quote, signed=True)}" if before.pnl_quote is not None else ""
        parts.append(f"PnL {_digits(now.pnl_quote, signed=True)}{share}{was}")
    if now.realized_pnl_quote is not None:
        parts.append(f"realized {_digits(now.realized_pnl_quote, signed=True)}")
    if now.fees_quote is not None:
        parts.append(f"fees {_digits(now.fees_quote)}")
    if now.fills is not None:
        maker = (
            f", {now.maker_share_pct:.0f} % of the volume as maker" if now.maker_share_pct is not None else ""
        )
        parts.append(f"{counted(now.fills, 'fill')}{maker}")
    if now.volume_quote is not None:
        parts.append(f"volume {_digits(now.volume_quote)}")
    if now.net_edge_mean_pct is not None:
        parts.append(f"net edge {_edge(now)}")
    return Line(" · ".join([*parts, *now.notes]) or "not known", name="Result")


def _edge(now: TradingResult) -> str:
    mean = f"{decimal(now.net_edge_mean_pct or 0.0, 3, signed=True)} % on average".replace("-", "−")  # noqa: RUF001 - as above
    above = (
        f", above 0 in {now.net_edge_positive_pct:.0f} % of the minutes"
        if now.net_edge_positive_pct is not None
        else ""
    )
    return f"{mean}{above}"


def gates_line(gates: Iterable[CapitalGate]) -> Line:
    """Return the promotion gates in one line, each with its word."""
    found = list(gates)
    parts = [f"{name_of_kpi(gate.name)} {_WORDS[gate.status]} ({gate.why})" for gate in found]
    statuses = {gate.status for gate in found}
    mark = next(
        (_MARKS[status] for status in (KpiStatus.FAIL, KpiStatus.NOT_MEASURED) if status in statuses),
        Mark.GOOD,
    )
    return Line(" · ".join(parts), name="Gates", mark=mark)


def coverage_line(coverage: Coverage) -> Line:
    """Return what share of the minutes there was, and what else was odd."""
    parts = [f"{coverage.present:,} of {coverage.minutes:,} minutes ({coverage.pct:.1f} %)"]
    gap, begin = coverage.longest_gap_minutes, coverage.longest_gap_from
    if gap >= _GAP_WORTH_TELLING and begin is not None and coverage.present:
        parts.append(f"longest gap {duration(gap * 60)} from {begin:%d %b %H:%M} UTC")
    if coverage.empty_days:
        parts.append(f"no rows on {listed(coverage.empty_days, 3)}")
    if coverage.duplicates:
        parts.append(counted(coverage.duplicates, "row twice", "rows twice"))
    if coverage.out_of_order:
        parts.append(f"{coverage.out_of_order} out of order")
    parts += [f"{counted(one.count, 'line')} unusable: {one.reason}" for one in coverage.skipped[:3]]
    if coverage.bad_values:
        parts.append(counted(coverage.bad_values, "unreadable value"))
    return Line(" · ".join([*parts, *coverage.notes[:3]]), name="Coverage")


def incidents_line(figures: IncidentFigures) -> Line:
    """Return how many incidents a bot had, and how long people took."""
    if not figures.count:
        return Line("none", name="Incidents")
    parts = [str(figures.count)]
    if figures.acknowledge_seconds is not None:
        parts.append(f"acknowledged after {duration(figures.acknowledge_seconds)} on average")
    if figures.resolve_seconds is not None:
        parts.append(f"resolved after {duration(figures.resolve_seconds)} on average")
    if figures.unresolved:
        parts.append(f"unresolved: {listed(figures.unresolved)}")
    return Line(" · ".join(parts), name="Incidents")
