"""The panels of a picture: each draws one plot and says in its heading what the plot shows."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from bot.charts.canvas import Plot
from bot.charts.scales import number, ticks
from bot.charts.theme import Fill
from triage.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.charts.theme import Theme
    from triage.kpis.picture import BotPicture, Line

WORDS = {
    "running": "running",
    "soft_pause": "soft pause",
    "hard_stop": "hard stop",
    "missing": "no rows",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its heading, the number that counts and whether that is bad, its height and its axis."""

    title: str
    figure: str
    height: int
    axis: tuple[tuple[float, str], ...] = ()
    span: tuple[float, float] = (0.0, 1.0)
    paint: Callable[[Plot], None] | None = None
    """Draws the plot; None: there is nothing to draw, and the figure says so."""
    bad: bool = False
    limit: float | None = None
    """The value on the axis that is a limit."""


def panels(picture: BotPicture, theme: Theme) -> tuple[Panel, ...]:
    """Return the panels of a picture from top to bottom."""
    return (
        _equity(picture, theme),
        _drawdown(picture, theme),
        _states(picture, theme),
        _edge(picture, theme),
        _inventory(picture, theme),
        _fills(picture, theme),
        _turnover(picture, theme),
        _cancels(picture, theme),
    )


def _known(line: Line) -> list[float]:
    return [value for part in line for value in part if value is not None]


def _absent(title: str, height: int = 60) -> Panel:
    return Panel(title, "not measured: no such values", height)


def _equity(picture: BotPicture, theme: Theme) -> Panel:
    known = _known(picture.equity)
    if not known:
        return _absent("Equity")
    low, high = min(known), max(known)
    pad = 0.08 * (high - low) or max(1e-6, abs(high)) * 1e-3
    span = (low - pad, high + pad)
    last = next(value for value in reversed(picture.equity[1]) if value is not None)
    title = "Equity, as if in one account" if picture.rebased else "Equity"

    def paint(plot: Plot) -> None:
        _curve(plot, picture, picture.equity, theme.line, theme.area)

    return Panel(
        title=title,
        figure=f"last {number(last, high - low or 1)}",
        height=190,
        axis=_axis(span, 3),
        span=span,
        paint=paint,
    )


def _drawdown(picture: BotPicture, theme: Theme) -> Panel:
    known = _known(picture.drawdown)
    if not known:
        return _absent("Drawdown")
    limit, worst = picture.drawdown_limit, max(known)
    deepest = 1.15 * max(limit, worst)
    span = (-deepest, 0.04 * deepest)
    bad = worst >= limit

    def paint(plot: Plot) -> None:
        for start, stretch in _stretches(picture.drawdown[1]):
            edge = [
                (picture.start + (start + i + 0.5) * picture.step, -value) for i, value in enumerate(stretch)
            ]
            plot.area([(edge[0][0], 0.0), *edge, (edge[-1][0], 0.0)], theme.area)
            plot.line(edge, theme.line, 2)
        plot.across(-limit, theme.over, 2.5, dash=(16, 9))

    axis = _limit_axis(-limit, f"-{limit:g}", span)
    figure = f"deepest -{worst:.2f} %, {'OVER limit' if bad else 'limit'} -{limit:g} %"
    return Panel(
        title="Drawdown, %",
        figure=figure,
        height=130,
        axis=axis,
        span=span,
        paint=paint,
        bad=bad,
        limit=-limit,
    )


def _states(picture: BotPicture, theme: Theme) -> Panel:
    def paint(plot: Plot) -> None:
        for first, last, name in picture.states:
            left, right = (picture.start + edge * picture.step for edge in (first, last))
            plot.box((left, right), (0.0, 1.0), theme.states[name])

    minutes = round(picture.step / 60)
    figure = f"each {minutes} min drawn as their worst" if minutes > 1 else ""
    return Panel("State", figure, 74, paint=paint)


def _edge(picture: BotPicture, theme: Theme) -> Panel:
    known = _known(picture.edge)
    if not known:
        return _absent("Net edge")
    low, high = min(0.0, *known), max(0.0, *known)
    pad = 0.1 * (high - low) or 0.01
    span = (low - pad, high + pad)

    def paint(plot: Plot) -> None:
        for start, lows in _stretches(picture.edge[0]):
            highs = picture.edge[1][start : start + len(lows)]
            edges = [picture.start + (start + index) * picture.step for index in range(len(lows) + 1)]
            plot.bars(edges, [max(0.0, most or 0.0) for most in highs], Fill(theme.area))
            plot.bars(edges, [min(0.0, least) for least in lows], theme.below)
        _curve(plot, picture, picture.edge, theme.line, None)
        plot.across(0.0, theme.ink, 2.5)

    figure = f"below 0 in {picture.edge_below_pct or 0:.0f} % of the minutes"
    return Panel(title="Net edge, %", figure=figure, height=170, axis=_axis(span, 4), span=span, paint=paint)


def _inventory(picture: BotPicture, theme: Theme) -> Panel:
    """Return the base share as a line against its target, which is thinner and of another colour, and its band."""
    known = _known(picture.base)
    if not known:
        return _absent("Base against target")
    low, high = picture.base_band
    bad = min(known) < low or max(known) > high
    wanted = _known(picture.target)
    least, most = min([*known, *wanted]), max([*known, *wanted])
    pad = 0.1 * (most - least) or 1.0
    span = (least - pad, most + pad)

    def paint(plot: Plot) -> None:
        for edge in picture.base_band:
            if span[0] <= edge <= span[1]:
                plot.across(edge, theme.over, 2.5, dash=(16, 9))
        _curve(plot, picture, picture.base, theme.line, theme.area)
        _curve(plot, picture, picture.target, theme.incident, None, width=1.5)

    last = [
        next((v for v in reversed(line[1]) if v is not None), None) for line in (picture.base, picture.target)
    ]
    aim = f"target {last[1]:.0f} % (thin line)" if last[1] is not None else "target not measured"
    outside = "OUT OF" if bad else "in"
    figure = f"last {last[0] or 0:.0f} %, {aim}, {outside} {low:.0f} to {high:.0f} %"
    return Panel(
        title="Base, %", figure=figure, height=150, axis=_axis(span, 3), span=span, paint=paint, bad=bad
    )


def _fills(picture: BotPicture, theme: Theme) -> Panel:
    buys, sells = (sum(entry[side] for entry in picture.fills) for side in (1, 2))
    if not picture.fills:
        return Panel("Fills", "none", 60)
    tallest = sqrt(max(max(entry[1:]) for entry in picture.fills))

    def paint(plot: Plot) -> None:
        half = max(0.5 * picture.step, (picture.end - picture.start) / 260)
        for bucket, bought, sold in picture.fills:
            at = picture.start + (bucket + 0.5) * picture.step
            for count, sign, colour in ((bought, 1, theme.line), (sold, -1, theme.over)):
                if count:
                    tip = sign * (0.35 + 0.6 * sqrt(count) / tallest)
                    plot.area([(at - half, sign * 0.05), (at + half, sign * 0.05), (at, tip)], colour)
        plot.across(0.0, theme.muted, 1.5)

    axis = ((0.5, "buy"), (-0.5, "sell"))
    return Panel(
        title="Fills",
        figure=f"{counted(buys, 'buy')} up, {counted(sells, 'sell')} down",
        height=110,
        axis=axis,
        span=(-1.0, 1.0),
        paint=paint,
    )


def _turnover(picture: BotPicture, theme: Theme) -> Panel:
    return _limited(("Turnover of the day", "x"), picture, picture.turnover, picture.turnover_limit, theme)


def _cancels(picture: BotPicture, theme: Theme) -> Panel:
    return _limited(("Cancels a minute", ""), picture, picture.cancels, picture.cancel_budget, theme)


def _limited(named: tuple[str, str], picture: BotPicture, line: Line, limit: float, theme: Theme) -> Panel:
    """Return a panel of a line that has to stay below a limit; ``named`` is (title, unit)."""
    title, unit = named
    known = _known(line)
    if not known:
        return _absent(title)
    worst = max(known)
    span = (-0.04 * max(limit, worst), 1.2 * max(limit, worst))
    bad = worst > limit

    def paint(plot: Plot) -> None:
        for start, stretch in _stretches(line[1]):
            top = [
                (picture.start + (start + i + 0.5) * picture.step, value) for i, value in enumerate(stretch)
            ]
            plot.area([(top[0][0], 0.0), *top, (top[-1][0], 0.0)], theme.area)
            plot.line(top, theme.line, 2)
        plot.across(limit, theme.over, 2.5, dash=(16, 9))

    figure = f"highest {number(worst, limit or 1)}{unit}, {'OVER limit' if bad else 'limit'} {limit:g}{unit}"
    axis = _limit_axis(limit, f"{limit:g}{unit}", span)
    return Panel(
        title=title, figure=figure, height=120, axis=axis, span=span, paint=paint, bad=bad, limit=limit
    )


def _axis(span: tuple[float, float], wanted: int) -> tuple[tuple[float, str], ...]:
    found = ticks(*span, wanted)
    return tuple((tick, number(tick, span[1] - span[0])) for tick in found)


def _limit_axis(limit: float, label: str, span: tuple[float, float]) -> tuple[tuple[float, str], ...]:
    """Return the limit's label, and a few round ones that do not touch it."""
    room = 0.3 * (span[1] - span[0])
    others = [tick for tick in ticks(*span, 2) if abs(tick - limit) > room]
    return ((limit, label), *((tick, number(tick, span[1] - span[0])) for tick in others))


def share_in_words(share: float) -> str:
    """Return a share in whole percent; what is not nothing is not shown as nothing."""
    return "<1 %" if 0 < share < 0.5 else f"{share:.0f} %"  # noqa: PLR2004 - where rounding makes 0 of it


def _stretches(values: tuple[float | None, ...]) -> Iterator[tuple[int, list[float]]]:
    """Yield (first bucket, values) of the stretches without a hole."""
    stretch: list[float] = []
    for bucket, value in enumerate((*values, None)):
        if value is not None:
            stretch.append(value)
        elif stretch:
            yield bucket - len(stretch), stretch
            stretch = []


def _curve(
    plot: Plot, picture: BotPicture, line: Line, colour: str, area: str | None, *, width: float = 3
) -> None:
    """Draw the middle of lowest and highest as a line, and what lies between them as an area."""
    for start, lows in _stretches(line[0]):
        highs = [value or 0.0 for value in line[1][start : start + len(lows)]]
        times = [picture.start + (start + index + 0.5) * picture.step for index in range(len(lows))]
        if area and len(lows) > 1:
            outline = [*zip(times, highs, strict=True), *reversed(list(zip(times, lows, strict=True)))]
            plot.area(outline, area)
        plot.line(
            [(at, (low + high) / 2) for at, low, high in zip(times, lows, highs, strict=True)], colour, width
        )
