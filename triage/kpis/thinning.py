"""A bot's window as a picture: thinned to as many points as a screen has.

Every bucket keeps its lowest and highest value, so no peak is lost; None is a bucket without a measure.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from triage.kpis.grid import State
from triage.kpis.measure import complete, known
from triage.kpis.picture import BotPicture, PictureMark
from triage.kpis.trading import equity_jumps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.kpis.fills import FillTally
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import ActionNote, BotReport, IncidentNote
    from triage.kpis.picture import Line

BUCKETS = 480

_WORST_FIRST = (State.HARD_STOP, State.OTHER, State.SOFT_PAUSE, State.MISSING, State.RUNNING)
"""Which state names a bucket of several: the one that must not be overlooked."""


def bot_picture(  # the parts of a picture, by name
    *,
    report: BotReport,
    grid: MinuteGrid,
    fills: FillTally,
    limits: KpiLimits,
    incidents: Iterable[IncidentNote] = (),
    actions: Iterable[ActionNote] = (),
) -> BotPicture:
    """Return what to draw of a report. Equity is shown as if the account had always been the last one."""
    per = max(1, -(-grid.minutes // BUCKETS))
    equity, rebased = _one_account(grid)
    return BotPicture(
        bot=report.bot,
        variant=report.variant,
        start=grid.at(0),
        end=grid.at(grid.minutes),
        step=per * 60.0,
        equity=_line(equity, per),
        drawdown=_line([100.0 * value for value in grid.column("drawdown_pct")], per),
        edge=_line([100.0 * value for value in grid.column("net_edge_pct")], per),
        turnover=_line(grid.column("turnover_today_x"), per),
        cancels=_line(grid.column("cancel_per_min"), per),
        states=_bands(grid, per),
        fills=_fill_marks(fills, per),
        marks=_marks(report.bot, grid, incidents, actions),
        drawdown_limit=limits.drawdown_pct_max,
        turnover_limit=limits.turnover_x_max,
        cancel_budget=limits.cancel_budget_per_min,
        verdict=str(report.verdict),
        facts=_facts(report),
        shares=_shares(grid),
        edge_below_pct=_below(grid.column("net_edge_pct")),
        rebased=rebased,
        base=_line([100.0 * value for value in grid.column("base_pct")], per),
        target=_line([100.0 * value for value in grid.column("target_base_pct")], per),
        base_band=(100.0 * limits.base_pct[0], 100.0 * limits.base_pct[1]),
    )


def _one_account(grid: MinuteGrid) -> tuple[list[float], bool]:
    """Return equity with the jumps of the account taken out, so that the last row is as it was written."""
    column = grid.column("equity_quote")
    jumps = dict(equity_jumps(grid))
    if not jumps:
        return column, False
    offset = 0.0
    for minute in range(grid.minutes - 1, -1, -1):
        column[minute] += offset
        offset += jumps.get(minute, 0.0)
    return column, True


def _line(column: list[float], per: int) -> Line:
    if complete(column):
        last = column[-1:] * (-len(column) % per)  # the last bucket is filled with a value that it has
        buckets = list(zip(*[iter(column + last)] * per, strict=True))
        return tuple(map(min, buckets)), tuple(map(max, buckets))
    parts = [
        [value for value in column[at : at + per] if isfinite(value)] for at in range(0, len(column), per)
    ]
    return tuple(min(part, default=None) for part in parts), tuple(max(part, default=None) for part in parts)


def _short(value: float) -> float:
    return float(f"{value:.8g}")


def _bands(grid: MinuteGrid, per: int) -> tuple[tuple[int, int, str], ...]:
    bands: list[tuple[int, int, str]] = []
    for bucket, at in enumerate(range(0, grid.minutes, per)):
        there = grid.states[at : at + per]
        name = next(state for state in _WORST_FIRST if state in there).name.lower()
        if bands and bands[-1][2] == name:
            bands[-1] = (bands[-1][0], bucket + 1, name)
        else:
            bands.append((bucket, bucket + 1, name))
    return tuple(bands)


def _shares(grid: MinuteGrid) -> tuple[tuple[str, float], ...]:
    counts = [(state.name.lower(), grid.states.count(state)) for state in State]
    return tuple((name, _short(100.0 * count / grid.minutes)) for name, count in counts if count)


def _below(edges: list[float]) -> float | None:
    seen = known(edges)
    return _short(100.0 * len([edge for edge in seen if edge < 0]) / len(seen)) if seen else None


def _fill_marks(fills: FillTally, per: int) -> tuple[tuple[int, int, int], ...]:
    found: dict[int, tuple[int, int]] = {}
    for minute, (buys, sells) in fills.marks.items():
        before = found.get(minute // per, (0, 0))
        found[minute // per] = (before[0] + buys, before[1] + sells)
    return tuple((bucket, *found[bucket]) for bucket in sorted(found))


def _marks(
    bot: str, grid: MinuteGrid, incidents: Iterable[IncidentNote], actions: Iterable[ActionNote]
) -> tuple[PictureMark, ...]:
    found = [
        PictureMark(note.started_at.timestamp(), "incident", note.id)
        for note in incidents
        if note.concerns(bot)
    ]
    found += [
        PictureMark(note.at.timestamp(), "action", note.kind) for note in actions if note.bot in ("", bot)
    ]
    inside = [mark for mark in found if grid.at(0) <= mark.at < grid.at(grid.minutes)]
    return tuple(sorted(inside, key=lambda mark: mark.at))


def _facts(report: BotReport) -> tuple[str, ...]:
    """Return the few figures that stand below the title."""
    ran = report.kpi("running_pct").value
    facts = [
        "running not measured" if ran is None else f"{ran:.0f} % running",
        f"{report.coverage_pct:.0f} % of minutes seen",
    ]
    if report.trading.pnl_quote is not None:
        facts.append(f"PnL {report.trading.pnl_quote:+.2f}")
    if report.trading.fills is not None:
        facts.append(f"{report.trading.fills} fills")
    return tuple(facts)
