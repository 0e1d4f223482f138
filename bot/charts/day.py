"""The picture as a whole: heading, marks of incidents and actions, the panels below each other, the time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.charts.canvas import SCALE, Plot, Sheet, fitted, swatch, width_of
from bot.charts.panels import WORDS, panels, share_in_words
from bot.charts.scales import period, time_ticks

if TYPE_CHECKING:
    from PIL import Image

    from bot.charts.panels import Panel
    from bot.charts.theme import Theme
    from triage.kpis.picture import BotPicture, PictureMark

WIDTH = 1080
LEFT, RIGHT = 122, 28
PLOT = WIDTH - LEFT - RIGHT
_HEAD, _LANE, _HEADING, _GAP, _FOOT = 186, 42, 46, 16, 64
_LEGEND = 44
_BIG, _MIDDLE, _SMALL = 50, 32, 28
"""Text sizes: the picture is shown a third as wide on a phone, so the smallest is about 10 points there."""
_LANES = 3
_DASHES = {"incident": (12, 7), "action": (4, 6)}


def render(picture: BotPicture, theme: Theme) -> Image.Image:
    """Draw a picture: 1080 pixels wide, as high as its panels need."""
    parts = panels(picture, theme)
    lanes, rest = _lanes(picture)
    height = _HEAD + _FOOT + _LEGEND + len(lanes) * _LANE
    height += sum(part.height + _HEADING + _GAP for part in parts)
    sheet = Sheet(WIDTH, height, theme.sheet)
    _head(sheet, picture, theme)
    top = _HEAD
    for lane in lanes:
        _flags(sheet, picture, lane, top, theme)
        top += _LANE
    if rest:
        sheet.text((8, top - _LANE + 4), f"+{rest} more", _SMALL, theme.muted)
    for part in parts:
        top = _panel(sheet, picture, part, top, theme)
    _foot(sheet, picture, top, theme)
    return sheet.image


def _x(picture: BotPicture, at: float) -> float:
    return LEFT + (at - picture.start) / (picture.end - picture.start) * PLOT


def _head(sheet: Sheet, picture: BotPicture, theme: Theme) -> None:
    """Write who, when and how it went, and the verdict in a box."""
    word = "MEETS CHECKLIST" if picture.verdict == "meets" else "HOLD"
    wide = width_of(word, _MIDDLE) + 44
    box = (WIDTH - RIGHT - wide, 24, WIDTH - RIGHT, 82)
    meets = picture.verdict == "meets"
    colour = theme.line if meets else theme.over
    sheet.draw.rounded_rectangle(box, 12, fill=None if meets else colour, outline=colour, width=4)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    sheet.text(middle, word, _MIDDLE, colour if meets else theme.sheet, anchor="mm", bold=True)
    name = f"{picture.bot} · {picture.variant}" if picture.variant else picture.bot
    sheet.text((RIGHT, 22), fitted(name, _BIG, box[0] - 2 * RIGHT), _BIG, theme.ink, bold=True)
    sheet.text((RIGHT, 92), period(picture.start, picture.end), _MIDDLE, theme.muted)
    facts = fitted(" · ".join(picture.facts), _MIDDLE, WIDTH - 2 * RIGHT)
    sheet.text((RIGHT, 136), facts, _MIDDLE, theme.ink)


def _lanes(picture: BotPicture) -> tuple[list[list[tuple[PictureMark, str]]], int]:
    """Place the labels of the marks in rows so that none hides another; return what found no place as a count."""
    lanes: list[list[tuple[PictureMark, str]]] = []
    ends: list[float] = []
    rest = 0
    for mark in picture.marks:
        label = fitted(mark.label.replace("_", " "), _SMALL, 260)
        left = _flag_left(picture, mark, label)
        lane = next((index for index, end in enumerate(ends) if end < left), len(ends))
        if lane == _LANES:
            rest += 1
            continue
        if lane == len(ends):
            ends.append(0.0)
            lanes.append([])
        ends[lane] = left + width_of(label, _SMALL) + 34
        lanes[lane].append((mark, label))
    return lanes, rest


def _flag_left(picture: BotPicture, mark: PictureMark, label: str) -> float:
    wide = width_of(label, _SMALL) + 24
    return min(max(_x(picture, mark.at) - 12, LEFT), WIDTH - RIGHT - wide)


def _flags(
    sheet: Sheet, picture: BotPicture, lane: list[tuple[PictureMark, str]], top: int, theme: Theme
) -> None:
    """Write a row of labels: incidents in a filled flag, actions in an open one."""
    for mark, label in lane:
        left = _flag_left(picture, mark, label)
        colour = theme.incident if mark.kind == "incident" else theme.action
        box = (left, top, left + width_of(label, _SMALL) + 24, top + 38)
        full = mark.kind == "incident"
        sheet.draw.rounded_rectangle(box, 6, fill=colour if full else theme.sheet, outline=colour, width=3)
        at = ((box[0] + box[2]) / 2, top + 19)
        sheet.text(at, label, _SMALL, theme.sheet if full else colour, anchor="mm")


def _panel(sheet: Sheet, picture: BotPicture, part: Panel, top: int, theme: Theme) -> int:
    """Draw a panel with its heading; return where the next one begins."""
    sheet.text((RIGHT, top + 6), part.title, _MIDDLE, theme.ink, bold=True)
    room = WIDTH - 3 * RIGHT - width_of(part.title, _MIDDLE)
    figure = fitted(part.figure, _MIDDLE, room)
    colour = theme.over if part.bad else theme.muted
    sheet.text((WIDTH - RIGHT, top + 6), figure, _MIDDLE, colour, anchor="ra", bold=part.bad)
    top += _HEADING
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
        sheet.text((LEFT - 10, row), label, _SMALL, colour, anchor="rm")
    bottom = top + part.height
    if part.title == "State":
        _legend(sheet, picture, bottom + 10, theme)
        bottom += _LEGEND
    return bottom + _GAP


def _legend(sheet: Sheet, picture: BotPicture, top: int, theme: Theme) -> None:
    """Name the fills of the state band that occur, with their share of the minutes."""
    left = float(RIGHT)
    for name, share in sorted(picture.shares, key=lambda entry: -entry[1]):
        word = f"{WORDS[name]} {share_in_words(share)}"
        sheet.image.paste(swatch(44, 28, theme.states[name]), (round(left), top + 2))
        sheet.draw.rectangle((left, top + 2, left + 43, top + 29), outline=theme.muted)
        sheet.text((left + 54, top + 16), word, _SMALL, theme.ink, anchor="lm")
        left += 54 + width_of(word, _SMALL) + 24


def _foot(sheet: Sheet, picture: BotPicture, top: int, theme: Theme) -> None:
    """Write the time axis."""
    for at, label in time_ticks(picture.start, picture.end, 6):
        x = _x(picture, at)
        sheet.draw.line((x, top - _GAP, x, top - _GAP + 10), fill=theme.muted, width=2)
        half = width_of(label, _SMALL) / 2
        sheet.text((min(x, WIDTH - half - 6), top), label, _SMALL, theme.muted, anchor="ma")
