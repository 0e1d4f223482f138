"""What is drawn on: a sheet with text at its true size, and plots that are drawn larger and then reduced.

Reducing smooths the lines; doing it plot by plot keeps the memory small.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from bot.charts.scales import without_half_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.charts.theme import Fill

SCALE = 2
_DOT = 7
_HATCH = 14
_DENSE = 200
"""From so many points on a line turns too often for its joints to be seen, and they cost most of its time."""

Point = tuple[float, float]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font in a size (pixels)."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow has no FreeType: install a wheel of pillow from PyPI")
    return loaded


def printable(text: str) -> str:
    """Return text with a question mark for what the font cannot draw."""
    return "".join(char if " " <= char <= "~" or char in "·±°" else "?" for char in text)


def width_of(text: str, size: int) -> float:
    """Return how wide a text is (pixels)."""
    return font(size).getlength(printable(text))


def fitted(text: str, size: int, room: float) -> str:
    """Return the text, cut between words and with two dots where it is wider than ``room`` pixels."""
    if width_of(text, size) <= room:
        return text
    kept = text
    while kept and width_of(f"{kept}..", size) > room:
        kept = kept[:-1]
    kept = without_half_word(kept, text)
    return f"{kept}.." if kept else ""


class Sheet:
    """The picture itself."""

    def __init__(self, width: int, height: int, colour: str) -> None:
        self.image = Image.new("RGB", (width, height), colour)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self, at: Point, text: str, size: int, colour: str, *, anchor: str = "la", bold: bool = False
    ) -> None:
        """Write a line of text; ``anchor`` as Pillow has it (``la``: left end of the ascenders' line)."""
        stroke = size / 45 if bold else 0.0
        self.draw.text(
            at,
            printable(text),
            fill=colour,
            font=font(size),
            anchor=anchor,
            stroke_width=stroke,
            stroke_fill=colour,
        )


class Plot:
    """A plot area of ``width`` x ``height`` pixels over data ranges ``x`` and ``y``; drawn SCALE times larger."""

    def __init__(self, width: int, height: int, x: Point, y: Point, colour: str) -> None:
        self.width, self.height = width * SCALE, height * SCALE
        self._x, self._y = x, y
        self.image = Image.new("RGB", (self.width, self.height), colour)
        self.draw = ImageDraw.Draw(self.image)
        self._hatched: dict[Fill, Image.Image] = {}

    def px(self, x: float) -> float:
        """Return the pixel column of a value."""
        low, high = self._x
        return (x - low) / (high - low) * self.width

    def py(self, y: float) -> float:
        """Return the pixel row of a value."""
        low, high = self._y
        return self.height - (y - low) / (high - low) * self.height

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        """Draw a line through points of data; a single point is a dot."""
        pixels = [(self.px(x), self.py(y)) for x, y in points]
        thick = round(width * SCALE)
        if len(pixels) == 1:
            (x, y), radius = pixels[0], thick
            self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            joint = "curve" if len(pixels) < _DENSE else None
            self.draw.line(pixels, fill=colour, width=thick, joint=joint)

    def area(self, points: Sequence[Point], colour: str) -> None:
        """Fill the polygon of points of data."""
        self.draw.polygon([(self.px(x), self.py(y)) for x, y in points], fill=colour)

    def across(self, y: float, colour: str, width: float, *, dash: tuple[int, int] | None = None) -> None:
        """Draw a horizontal line at a value, dashed by (on, off) pixels or solid."""
        row = self.py(y)
        for start, end in _dashes(self.width, dash):
            self.draw.line((start, row, end, row), fill=colour, width=round(width * SCALE))

    def down(self, x: float, colour: str, width: float, *, dash: tuple[int, int] | None = None) -> None:
        """Draw a vertical line at a value, dashed by (on, off) pixels or solid."""
        column = self.px(x)
        for start, end in _dashes(self.height, dash):
            self.draw.line((column, start, column, end), fill=colour, width=round(width * SCALE))

    def box(self, x: Point, y: Point, fill: Fill) -> None:
        """Fill a rectangle of data with a colour and its hatch."""
        left, right = round(self.px(x[0])), round(self.px(x[1]))
        top, bottom = round(self.py(y[1])), round(self.py(y[0]))
        if right <= left or bottom <= top:
            return
        if fill.hatch == "none":
            self.draw.rectangle((left, top, right - 1, bottom - 1), fill=fill.colour)
            return
        here = (max(0, left), max(0, top), min(self.width, right), min(self.height, bottom))
        if here[0] < here[2] and here[1] < here[3]:
            self.image.paste(self._hatch(fill).crop(here), here[:2])

    def _hatch(self, fill: Fill) -> Image.Image:
        """Return the whole plot in a hatch, from which boxes are cut: so it goes on from box to box."""
        if fill not in self._hatched:
            self._hatched[fill] = _pattern(self.width, self.height, fill)
        return self._hatched[fill]

    def reduced(self) -> Image.Image:
        """Return the plot in its true size."""
        return self.image.reduce(SCALE)


def swatch(width: int, height: int, fill: Fill) -> Image.Image:
    """Return a legend's sample of a fill, in its true size."""
    return _pattern(width * SCALE, height * SCALE, fill).reduce(SCALE)


def _pattern(width: int, height: int, fill: Fill) -> Image.Image:
    """Return a filled rectangle with its hatch."""
    image = Image.new("RGB", (width, height), fill.colour)
    draw = ImageDraw.Draw(image)
    step, pen = _HATCH * SCALE, 2 * SCALE
    if fill.hatch in ("rising", "crossed"):
        for start in range(-height, width + height, step):
            draw.line((start, height, start + height, 0), fill=fill.ink, width=pen)
    if fill.hatch == "crossed":
        for start in range(-height, width + height, step):
            draw.line((start, 0, start + height, height), fill=fill.ink, width=pen)
    if fill.hatch == "dots":
        gap = 2 * _DOT * SCALE
        for x in range(gap // 2, width, gap):
            for y in range(gap // 2, height, gap):
                draw.ellipse((x - SCALE, y - SCALE, x + SCALE, y + SCALE), fill=fill.ink)
    return image


def _dashes(length: int, dash: tuple[int, int] | None) -> Iterable[tuple[int, int]]:
    if dash is None:
        return ((0, length),)
    on, off = dash[0] * SCALE, dash[1] * SCALE
    return ((start, min(start + on, length)) for start in range(0, length, on + off))
