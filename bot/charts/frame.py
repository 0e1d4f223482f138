"""What every picture has around its panels: flags of incidents and actions, headings, axes, the time below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.charts.canvas import SCALE, Plot, Sheet, fitted, width_of
from bot.charts.scales import time_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.charts.panels import Panel
    from bot.charts.theme import Theme
    from triage.kpis.picture import PictureMark

WIDTH = 1080
LEFT, RIGHT = 122, 28
PLOT = WIDTH - LEFT - RIGHT
ROW, HEADING, GAP, FOOT = 42, 46, 16, 64
BIG, MIDDLE, SMALL = 50, 32, 28
"""Text sizes: the picture is shown a third as wide on a phone, so the smallest is about 10 points there."""
_ROWS = 3
_DASHES = {"incident": (12, 7), "action": (4, 6)}


class Framed(Protocol):
    """A picture's window (epoch seconds) and its marks, in their order."""

    @property
    def start(self) -> float:
        """Where it begins."""
        ...

    @property
    def end(self) -> float:
        """Where it ends."""
        ...

    @property
    def marks(self) -> Sequence[PictureMark]:
        """The vertical lines."""
        ...


def x_of(picture: Framed, at: float) -> float:
    """Return the pixel column of a time."""
    return LEFT + (at - picture.start) / (picture.end - picture.start) * PLOT


@dataclass(frozen=True, slots=True)
class FlagRows:
    """The labels of the marks in rows in which none hides another; ``rest``: how many found no place."""

    rows: tuple[tuple[tuple[PictureMark, str], ...], ...]
    rest: int


def flag_rows(picture: Framed) -> FlagRows:
    """Place the labels of a picture's marks."""
    rows: list[list[tuple[PictureMark, str]]] = []
    ends: list[float] = []
    rest = 0
    for mark in picture.marks:
        label = fitted(mark.label.replace("_", " "), SMALL, 260)
        left = _flag_left(picture, mark, label)
        row = next((index for index, end in enumerate(ends) if end < left), len(ends))
        if row == _ROWS:
            rest += 1
            continue
        if row == len(ends):
            ends.append(0.0)
            rows.append([])
        ends[row] = left + width_of(label, SMALL) + 34
        rows[row].append((mark, label))
    return FlagRows(tuple(tuple(row) for row in rows), rest)


def _flag_left(picture: Framed, mark: PictureMark, label: str) -> float:
    wide = width_of(label, SMALL) + 24
    return min(max(x_of(picture, mark.at) - 12, LEFT), WIDTH - RIGHT - wide)


def draw_flags(sheet: Sheet, picture: Framed, flags: FlagRows, top: int, theme: Theme) -> int:
    """Write the rows of labels, and how many more there are; return where they end."""
    for row in flags.rows:
        for mark, label in row:
            _flag(sheet, (_flag_left(picture, mark, label), top), label, theme, full=mark.kind == "incident")
        top += ROW
    if flags.rest:
        sheet.text((8, top - ROW + 4), f"+{flags.rest} more", SMALL, theme.muted)
    return top


def _flag(sheet: Sheet, corner: tuple[float, int], label: str, theme: Theme, *, full: bool) -> None:
    """Write a label: an incident's in a filled flag, an action's in an open one."""
    left, top = corner
    colour = theme.incident if full else theme.action
    box = (left, top, left + width_of(label, SMALL) + 24, top + 38)
    sheet.draw.rounded_rectangle(box, 6, fill=colour if full else theme.sheet, outline=colour, width=3)
    at = ((box[0] + box[2]) / 2, top + 19)
    sheet.text(at, label, SMALL, theme.sheet if full else colour, anchor="mm")


def panel(sheet: Sheet, picture: Framed, part: Panel, top: int, theme: Theme) -> int:
    """Draw a panel with its heading; return where it ends."""
    sheet.text((RIGHT, top + 6), part.title, MIDDLE, theme.ink, bold=True)
    room = WIDTH - 3 * RIGHT - width_of(part.title, MIDDLE)
    figure = fitted(part.figure, MIDDLE, room)
    colour = theme.over if part.bad else theme.muted
    sheet.text((WIDTH - RIGHT, top + 6), figure, MIDDLE, colour, anchor="ra", bold=part.bad)
    top += HEADING
    plot = Plot(PLOT, part.height, (picture.start, picture.end), part.span, theme.plot)
    if part.paint is None:
        plot.across((part.span[0] + part.span[1]) / 2, theme.grid, 2, dash=(10, 10))
    for value, _ in part.axis:
        plot.across(value, theme.grid, 1)
    if part.paint is not None:
        part.paint(plot)
    for mark in picture.marks:
        pen = theme.incident if mark.kind == "incident" else theme.action
        plot.down(mark.at, pen, 2.5, dash=_DASHES[mark.kind])
    sheet.image.paste(plot.reduced(), (LEFT, top))
    for value, label in part.axis:
        row = top + plot.py(value) / SCALE
        row = min(max(row, top + 12), top + part.height - 12)
        colour = theme.over if value == part.limit else theme.muted
        sheet.text((LEFT - 10, row), label, SMALL, colour, anchor="rm")
    return top + part.height


def foot(sheet: Sheet, picture: Framed, top: int, theme: Theme) -> None:
    """Write the time axis."""
    for at, label in time_ticks(picture.start, picture.end, 6):
        x = x_of(picture, at)
        sheet.draw.line((x, top - GAP, x, top - GAP + 10), fill=theme.muted, width=2)
        half = width_of(label, SMALL) / 2
        sheet.text((min(x, WIDTH - half - 6), top), label, SMALL, theme.muted, anchor="ma")
