"""A bot's day as a whole: heading, marks of incidents and actions, the panels below each other, the time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from bot.charts.panels import WORDS, panels, share_in_words
from bot.charts.scales import period

if TYPE_CHECKING:
    from PIL import Image

    from bot.charts.theme import Theme
    from triage.kpis.picture import BotPicture

_HEAD, _LEGEND = 186, 44


def render(picture: BotPicture, theme: Theme) -> Image.Image:
    """Draw a picture: 1080 pixels wide, as high as its panels need."""
    parts = panels(picture, theme)
    flags = flag_rows(picture)
    height = _HEAD + FOOT + _LEGEND + len(flags.rows) * ROW
    height += sum(part.height + HEADING + GAP for part in parts)
    sheet = Sheet(WIDTH, height, theme.sheet)
    _head(sheet, picture, theme)
    top = draw_flags(sheet, picture, flags, _HEAD, theme)
    for part in parts:
        top = panel(sheet, picture, part, top, theme)
        if part.title == "State":
            _legend(sheet, picture, top + 10, theme)
            top += _LEGEND
        top += GAP
    foot(sheet, picture, top, theme)
    return sheet.image


def _head(sheet: Sheet, picture: BotPicture, theme: Theme) -> None:
    """Write who, when and how it went, and the verdict in a box."""
    word = "MEETS CHECKLIST" if picture.verdict == "meets" else "HOLD"
    wide = width_of(word, MIDDLE) + 44
    box = (WIDTH - RIGHT - wide, 24, WIDTH - RIGHT, 82)
    meets = picture.verdict == "meets"
    colour = theme.line if meets else theme.over
    sheet.draw.rounded_rectangle(box, 12, fill=None if meets else colour, outline=colour, width=4)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    sheet.text(middle, word, MIDDLE, colour if meets else theme.sheet, anchor="mm", bold=True)
    name = f"{picture.bot} · {picture.variant}" if picture.variant else picture.bot
    sheet.text((RIGHT, 22), fitted(name, BIG, box[0] - 2 * RIGHT), BIG, theme.ink, bold=True)
    sheet.text((RIGHT, 92), period(picture.start, picture.end), MIDDLE, theme.muted)
    facts = fitted(" · ".join(picture.facts), MIDDLE, WIDTH - 2 * RIGHT)
    sheet.text((RIGHT, 136), facts, MIDDLE, theme.ink)


def _legend(sheet: Sheet, picture: BotPicture, top: int, theme: Theme) -> None:
    """Name the fills of the state band that occur, with their share of the minutes."""
    left = float(RIGHT)
    for name, share in sorted(picture.shares, key=lambda entry: -entry[1]):
        word = f"{WORDS[name]} {share_in_words(share)}"
        sheet.image.paste(swatch(44, 28, theme.states[name]), (round(left), top + 2))
        sheet.draw.rectangle((left, top + 2, left + 43, top + 29), outline=theme.muted)
        sheet.text((left + 54, top + 16), word, SMALL, theme.ink, anchor="lm")
        left += 54 + width_of(word, SMALL) + 24
