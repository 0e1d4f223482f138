"""The trading result of a window, and the desk's gates for more capital."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

from triage.kpis.measure import known, measured, share_pct
from triage.kpis.model import CapitalGate, KpiStatus, TradingResult
from triage.wording import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.kpis.fills import FillTally
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import IncidentFigures, Kpi

JUMP = 0.20
"""From one row to the next equity does not move by a fifth: such a step is another account or a deposit."""


def equity_jumps(grid: MinuteGrid) -> list[tuple[int, float]]:
    """Return (minute, step) where equity changed because the account did: another exchange or pair, or a leap."""
    column = grid.column("equity_quote")
    if not column or (len(set(grid.accounts) - {-1}) == 1 and _no_leap(known(column))):
        return []
    found: list[tuple[int, float]] = []
    last: tuple[int, float] | None = None
    for minute, value in measured(column):
        if last is not None:
            step = value - last[1]
            other = grid.accounts[minute] != grid.accounts[last[0]]
            if step and (other or (abs(step) > JUMP * abs(last[1]) and abs(step) > JUMP * abs(value))):
                found.append((minute, step))
        last = (minute, value)
    return found


def _no_leap(values: list[float]) -> bool:
    """Return whether no two of the values are so far apart that a step between them could be a leap."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return low > 0 and high - low <= JUMP * low


def trading(grid: MinuteGrid, fills: FillTally) -> TradingResult:
    """Return the trading result; what the files do not have is None and named in ``notes``."""
    notes: list[str] = []
    equity = known(grid.column("equity_quote"))
    edges = known(grid.column("net_edge_pct"))
    pnl = pnl_pct = None
    if equity:
        jumps = equity_jumps(grid)
        pnl = equity[-1] - equity[0] - sum(step for _, step in jumps)
        base = equity[-1] - pnl
        if not isfinite(pnl):
            pnl = None
            notes.append("equity is no amount to reckon with: PnL unknown")
        pnl_pct = 100.0 * pnl / base if pnl is not None and base else None
        if jumps:
            notes.append(
                f"equity jumped {len(jumps)} times with another account or a deposit: left out of PnL"
            )
    else:
        notes.append("no equity in the rows: PnL unknown")
    if not fills.readable:
        notes.append(f"{fills.missing}: fills, fees and volume unknown")
    seen = fills.readable
    for name, amounts in (("fee", fills.fees), ("amount", fills.volume)):
        if seen and amounts.terms < fills.count:
            notes.append(
                f"{fills.count - amounts.terms} of {counted(fills.count, 'fill')} without a {name}: left out"
            )
    sided = fills.maker.total + fills.taker.total
    return TradingResult(
        pnl_quote=pnl,
        pnl_pct=pnl_pct,
        equity_open_quote=equity[0] if equity else None,
        equity_close_quote=equity[-1] if equity else None,
        realized_pnl_quote=fills.realized.value,
        fees_quote=fills.sum_of(fills.fees),
        fills=fills.count if seen else None,
        buys=fills.buys if seen else None,
        sells=fills.sells if seen else None,
        volume_quote=fills.sum_of(fills.volume),
        maker_share_pct=100.0 * fills.maker.total / sided if sided else None,
        net_edge_mean_pct=100.0 * sum(edges) / len(edges) if edges else None,
        net_edge_positive_pct=share_pct(len([edge for edge in edges if edge > 0]), len(edges))
        if edges
        else None,
        profit_factor=profit_factor(fills),
        notes=tuple(notes),
    )


def profit_factor(fills: FillTally) -> float | None:
    """Return realized gains over realized losses; infinite without a loss, None without either."""
    if fills.losses.total:
        return fills.gains.total / fills.losses.total
    return inf if fills.gains.total else None


def gates(
    kpis: Iterable[Kpi], result: TradingResult, incidents: IncidentFigures, limits: KpiLimits
) -> tuple[CapitalGate, ...]:
    """Return the gates. One whose value is unknown is not measured."""
    by_name = {kpi.name: kpi for kpi in kpis}
    return (
        _below("turnover", by_name["turnover_x"], limits.promotion_turnover_x_max),
        _profit(result.profit_factor, limits.profit_factor_min),
        _below("drawdown", by_name["drawdown_pct"], limits.promotion_drawdown_pct_max),
        _quiet(incidents),
    )


def _below(name: str, kpi: Kpi, limit: float) -> CapitalGate:
    if kpi.value is None:
        return CapitalGate(
            name=name, value=None, limit=limit, unit=kpi.unit, status=KpiStatus.NOT_MEASURED, why=kpi.why
        )
    status = KpiStatus.PASS if kpi.value < limit else KpiStatus.FAIL
    return CapitalGate(
        name=name,
        value=kpi.value,
        limit=limit,
        unit=kpi.unit,
        status=status,
        why=f"{kpi.value:.2f}{'' if kpi.unit == 'x' else ' '}{kpi.unit}, below {limit:g} asked",
    )


def _profit(factor: float | None, limit: float) -> CapitalGate:
    if factor is None:
        why = "no fill with a realized profit or loss"
        return CapitalGate(
            name="profit_factor", value=None, limit=limit, unit="", status=KpiStatus.NOT_MEASURED, why=why
        )
    good = factor > limit
    why = f"{factor:.2f}, above {limit:g} asked" if isfinite(factor) else "no losing fill"
    value = factor if isfinite(factor) else None
    return CapitalGate(
        name="profit_factor",
        value=value,
        limit=limit,
        unit="",
        status=KpiStatus.PASS if good else KpiStatus.FAIL,
        why=why,
    )


def _quiet(incidents: IncidentFigures) -> CapitalGate:
    count = len(incidents.unresolved)
    why = f"{listed(incidents.unresolved)} unresolved" if count else "no unresolved incident"
    status = KpiStatus.FAIL if count else KpiStatus.PASS
    return CapitalGate(
        name="unresolved_incidents", value=float(count), limit=0.0, unit="incidents", status=status, why=why
    )
