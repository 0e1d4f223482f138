"""The chart of an incident: each bot's state, net edge and errors, with what happened and what people did as flags."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bot.charts.alt import MOST
from bot.charts.canvas import Sheet, fitted, swatch, width_of
from bot.charts.frame import (
    BIG,
    FOOT,
    GAP,
    HEADING,
    MIDDLE,
    RIGHT,
    ROW,
    SMALL,
    WIDTH,
    draw_flags,
    flag_rows,
    foot,
    panel,
)
from bot.charts.panels import WORDS, Panel
from bot.charts.scales import number, period, ticks, without_half_word
from triage.kpis.picture import PictureMark
from triage.ports.charts import IncidentChart, Track
from triage.wording import counted, listed

if TYPE_CHECKING:
    from PIL import Image

    from bot.charts.canvas import Plot
    from bot.charts.theme import Theme
    from triage.ports.charts import Points

_HEAD, _NOTE, _LEGEND = 146, 36, 44
_NAMES = {**WORDS, "missing": "not known"}
_HOLE = 2.5
"""Points that lie further apart than so many steps are not joined."""


def decode_incident(fields: dict[str, Any]) -> IncidentChart:
    """Return the chart that ``as_json`` wrote. Raises TypeError for fields of another version."""
    marks = tuple(PictureMark(**mark) for mark in fields["marks"])
    return IncidentChart(
        **{**fields, "marks": marks, "tracks": tuple(Track(**each) for each in fields["tracks"])}
    )


def render_incident(chart: IncidentChart, theme: Theme) -> Image.Image:
    """Draw a chart: 1080 pixels wide, as high as its bots need."""
    parts = [part for track in chart.tracks for part in _panels(chart, track, theme)]
    flags = flag_rows(chart)
    height = _HEAD + FOOT + _LEGEND + len(flags.rows) * ROW + len(chart.missing) * _NOTE
    height += sum(part.height + HEADING + GAP for part in parts)
    sheet = Sheet(WIDTH, height, theme.sheet)
    room = WIDTH - 2 * RIGHT
    title = f"{chart.number} · {chart.title}"
    size = BIG if width_of(title, BIG) <= room else MIDDLE
    sheet.text((RIGHT, 22), fitted(title, size, room), size, theme.ink, bold=True)
    sheet.text((RIGHT, 92), period(chart.start, chart.end), MIDDLE, theme.muted)
    top = draw_flags(sheet, chart, flags, _HEAD, theme)
    for part in parts:
        top = panel(sheet, chart, part, top, theme) + GAP
    foot(sheet, chart, top, theme)
    top += FOOT
    _legend(sheet, chart, top, theme)
    top += _LEGEND
    for note in chart.missing:
        sheet.text((RIGHT, top), fitted(note, SMALL, room), SMALL, theme.over)
        top += _NOTE
    return sheet.image


def _panels(chart: IncidentChart, track: Track, theme: Theme) -> tuple[Panel, ...]:
    return (_states(chart, track, theme), _edge(chart, track, theme), _errors(chart, track, theme))


def _states(chart: IncidentChart, track: Track, theme: Theme) -> Panel:
    if not track.states:
        return Panel(f"{track.bot}: state", "not known", 44)

    def paint(plot: Plot) -> None:
        plot.box((chart.start, chart.end), (0.0, 1.0), theme.states["missing"])
        for begin, end, state in track.states:
            plot.box((begin, end), (0.0, 1.0), theme.states.get(state, theme.states["other"]))

    return Panel(f"{track.bot}: state", "", 44, paint=paint)


def _edge(chart: IncidentChart, track: Track, theme: Theme) -> Panel:
    if not track.edge:
        return Panel(f"{track.bot}: net edge", "not known", 44)
    values = [value for _, value in track.edge]
    low, high = min(0.0, *values), max(0.0, *values)
    pad = 0.15 * (high - low) or 0.01
    span = (low - pad, high + pad)

    def paint(plot: Plot) -> None:
        for part in _joined(track.edge, chart.step):
            plot.line(part, theme.line, 3)
        plot.across(0.0, theme.ink, 2)

    axis = tuple((tick, number(tick, span[1] - span[0])) for tick in ticks(*span, 3))
    figure = f"{min(values):+.3f} to {max(values):+.3f} %"
    return Panel(
        title=f"{track.bot}: net edge, %", figure=figure, height=100, axis=axis, span=span, paint=paint
    )


def _errors(chart: IncidentChart, track: Track, theme: Theme) -> Panel:
    if not track.errors:
        return Panel(f"{track.bot}: error lines", "not known", 44)
    most = max(value for _, value in track.errors)
    if most == 0:
        return Panel(f"{track.bot}: error lines", "none", 44)
    span = (-0.04 * most, 1.15 * most)

    def paint(plot: Plot) -> None:
        for part in _joined(track.errors, chart.step):
            if len(part) > 1:
                plot.area([(part[0][0], 0.0), *part, (part[-1][0], 0.0)], theme.area)
            plot.line(part, theme.line, 2)

    axis = ((0.0, "0"), (most, number(most, most)))
    return Panel(
        title=f"{track.bot}: error lines",
        figure=f"at most {most:.0f}",
        height=80,
        axis=axis,
        span=span,
        paint=paint,
    )


def _joined(points: Points, step: float) -> list[list[tuple[float, float]]]:
    """Return the stretches whose points lie no further apart than a hole."""
    stretches: list[list[tuple[float, float]]] = [[points[0]]]
    for before, point in pairwise(points):
        if point[0] - before[0] > _HOLE * step:
            stretches.append([])
        stretches[-1].append(point)
    return stretches


def _legend(sheet: Sheet, chart: IncidentChart, top: int, theme: Theme) -> None:
    """Name the fills of the states that occur, and the one for what is not known."""
    seen = {
        state if state in theme.states else "other" for track in chart.tracks for *_, state in track.states
    }
    left = float(RIGHT)
    for name in [one for one in theme.states if one in seen] + ["missing"]:
        sheet.image.paste(swatch(44, 28, theme.states[name]), (round(left), top + 2))
        sheet.draw.rectangle((left, top + 2, left + 43, top + 29), outline=theme.muted)
        sheet.text((left + 54, top + 16), _NAMES[name], SMALL, theme.ink, anchor="lm")
        left += 54 + width_of(_NAMES[name], SMALL) + 24


def incident_alt(chart: IncidentChart) -> str:
    """Return what a chart shows in a few sentences of plain text."""
    parts = [
        f"{chart.number}, {period(chart.start, chart.end)}.",
        *(_track_alt(track) for track in chart.tracks),
    ]
    told = [f"{_at(mark.at)} {mark.label}" for mark in chart.marks]
    parts.append(f"Marks: {listed(told, 8)}." if told else "")
    parts += [f"Not drawn: {note}." for note in chart.missing]
    text = " ".join(filter(None, parts))
    return text if len(text) <= MOST else f"{without_half_word(text[: MOST - 1], text)}…"


def _track_alt(track: Track) -> str:
    turns = (
        [track.states[0], *(now for was, now in pairwise(track.states) if was[2] != now[2])]
        if track.states
        else []
    )
    said = listed([f"{_NAMES.get(state, state)} from {_at(begin)}" for begin, _, state in turns], 6)
    edge = [value for _, value in track.edge]
    words = [
        said or "state not known",
        f"net edge {min(edge):+.3f} to {max(edge):+.3f} %" if edge else "net edge not known",
        _errors_said(max((value for _, value in track.errors), default=None)),
    ]
    return f"{track.bot}: {'; '.join(words)}."


def _errors_said(most: float | None) -> str:
    if most is None:
        return "errors not known"
    return f"at most {counted(round(most), 'error line')}" if round(most) else "no error lines"


def _at(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M}"
