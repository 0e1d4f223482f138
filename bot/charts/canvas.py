"""What is drawn on: a sheet with text at its true size, and plots that are drawn larger and then reduced.

Reducing smooths the lines; doing it plot by plot keeps the memory small.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFont

from bot.charts.scales import without_half_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.charts.theme import Fill

SCALE = 2
_DOT = 7
_HATCH = 14
_DENSE = 200
"""From so many points on a line turns too often for its joints to be seen, and they cost most of its time."""

_WORDS, _HATCHES = 128, 8
"""How many words (their masks and widths) and hatches are kept: the pictures of a digest have most in common."""

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


@lru_cache(_WORDS)
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


@lru_cache(_WORDS)
def _written(text: str, size: int, anchor: str, *, bold: bool) -> tuple[Image.Image, Point]:
    """Return a line of text as a mask, and where its upper left corner lies from the anchor."""
    stroke = size / 45 if bold else 0.0
    left, top, right, bottom = font(size).getbbox(text, anchor=anchor, stroke_width=stroke)
    corner = (floor(left), floor(top))
    mask = Image.new("L", (max(1, ceil(right) - corner[0]), max(1, ceil(bottom) - corner[1])))
    at = (-corner[0], -corner[1])
    ImageDraw.Draw(mask).text(at, text, fill=255, font=font(size), anchor=anchor, stroke_width=stroke)
    return mask, corner


class Sheet:
    """The picture itself."""

    def __init__(self, width: int, height: int, colour: str) -> None:
        self.image = Image.new("RGB", (width, height), colour)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self, at: Point, text: str, size: int, colour: str, *, anchor: str = "la", bold: bool = False
    ) -> None:
        """Write a line of text; ``anchor`` as Pillow has it (``la``: left end of the ascenders' line)."""
        mask, (left, top) = _written(printable(text), size, anchor, bold=bold)
        self.image.paste(colour, (round(at[0] + left), round(at[1] + top)), mask)


class Plot:
    """A plot area of ``width`` x ``height`` pixels over data ranges ``x`` and ``y``; drawn SCALE times larger."""

    def __init__(self, width: int, height: int, x: Point, y: Point, colour: str) -> None:
        self.width, self.height = width * SCALE, height * SCALE
        self._left, self._bottom = x[0], y[0]
        self._columns, self._rows = self.width / (x[1] - x[0]), self.height / (y[1] - y[0])
        self.image = Image.new("RGB", (self.width, self.height), colour)
        self.draw = ImageDraw.Draw(self.image)

    def px(self, x: float) -> float:
        """Return the pixel column of a value."""
        return (x - self._left) * self._columns

    def py(self, y: float) -> float:
        """Return the pixel row of a value."""
        return self.height - (y - self._bottom) * self._rows

    def _pixels(self, points: Iterable[Point]) -> list[Point]:
        """Return points of data as ``px`` and ``py`` do, without a call for each."""
        left, bottom, columns, rows, height = self._left, self._bottom, self._columns, self._rows, self.height
        return [((x - left) * columns, height - (y - bottom) * rows) for x, y in points]

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        """Draw a line through points of data; a single point is a dot."""
        pixels = self._pixels(points)
        thick = round(width * SCALE)
        if len(pixels) == 1:
            (x, y), radius = pixels[0], thick
            self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            joint = "curve" if len(pixels) < _DENSE else None
            self.draw.line(pixels, fill=colour, width=thick, joint=joint)

    def area(self, points: Sequence[Point], colour: str) -> None:
        """Fill the polygon of points of data."""
        self.draw.polygon(self._pixels(points), fill=colour)

    def bars(self, edges: Sequence[float], ends: Sequence[float], fill: Fill) -> None:
        """Fill bars side by side, each from zero to its end; ``edges`` has one value more than ``ends``."""
        steps = [(x, y) for at, y in enumerate(ends) for x in edges[at : at + 2]]
        outline = self._pixels([(edges[0], 0.0), *steps, (edges[-1], 0.0)])
        self.draw.polygon(outline, fill=fill.colour)
        if fill.hatch != "none":
            filled = Image.new("1", self.image.size)
            ImageDraw.Draw(filled).polygon(outline, fill=1)
            hatch = _hatch(self.width, self.height, fill.hatch)
            self.image.paste(fill.ink, mask=ImageChops.logical_and(filled, hatch))

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
        self.draw.rectangle((left, top, right - 1, bottom - 1), fill=fill.colour)
        here = (max(0, left), max(0, top), min(self.width, right), min(self.height, bottom))
        if fill.hatch != "none" and here[0] < here[2] and here[1] < here[3]:
            # Cut from the hatch of the whole plot, so that it goes on from box to box.
            self.image.paste(fill.ink, here, _hatch(self.width, self.height, fill.hatch).crop(here))

    def reduced(self) -> Image.Image:
        """Return the plot in its true size."""
        return self.image.reduce(SCALE)


def swatch(width: int, height: int, fill: Fill) -> Image.Image:
    """Return a legend's sample of a fill, in its true size."""
    image = Image.new("RGB", (width * SCALE, height * SCALE), fill.colour)
    image.paste(fill.ink, mask=_hatch(*image.size, fill.hatch))
    return image.reduce(SCALE)


@lru_cache(_HATCHES)
def _hatch(width: int, height: int, kind: str) -> Image.Image:
    """Return the lines of a hatch as a mask."""
    image = Image.new("1", (width, height))
    draw = ImageDraw.Draw(image)
    step, pen = _HATCH * SCALE, 2 * SCALE
    if kind in ("rising", "crossed"):
        for start in range(-height, width + height, step):
            draw.line((start, height, start + height, 0), fill=1, width=pen)
    if kind == "crossed":
        for start in range(-height, width + height, step):
            draw.line((start, 0, start + height, height), fill=1, width=pen)
    if kind == "dots":
        gap = 2 * _DOT * SCALE
        for x in range(gap // 2, width, gap):
            for y in range(gap // 2, height, gap):
                draw.ellipse((x - SCALE, y - SCALE, x + SCALE, y + SCALE), fill=1)
    return image


def _dashes(length: int, dash: tuple[int, int] | None) -> Iterable[tuple[int, int]]:
    if dash is None:
        return ((0, length),)
    on, off = dash[0] * SCALE, dash[1] * SCALE
    return ((start, min(start + on, length)) for start in range(0, length, on + off))
