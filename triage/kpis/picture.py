"""What a picture of a bot's window shows. ``thinning`` makes it, ``bot.charts`` draws it in a process of its own.

It goes there as JSON in which each half of a line is its numbers in base64: they are thousands, and written out
they took a quarter of the time that measuring takes. Little is imported here, for that process to start soon.
"""

from __future__ import annotations

from array import array
from binascii import a2b_base64, b2a_base64
from dataclasses import astuple, dataclass, fields
from math import nan
from typing import Any

Line = tuple[tuple[float | None, ...], tuple[float | None, ...]]
"""Lowest and highest value of each bucket."""

_LINES = ("equity", "drawdown", "edge", "turnover", "cancels", "base", "target")


@dataclass(frozen=True, slots=True)
class PictureMark:
    """A vertical line: epoch seconds, ``incident`` or ``action``, and its label."""

    at: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class BotPicture:
    """A bot's window as buckets of ``step`` seconds from ``start`` (epoch seconds) on.

    Percentages in percent. ``states`` are (first bucket, past the last, name); ``fills`` (bucket, buys, sells).
    ``drawdown_limit``, ``turnover_limit`` and ``cancel_budget`` are the bot's limits; ``shares`` the states'
    shares of the minutes; ``edge_below_pct`` the share of the measured minutes with a net edge below 0; ``base`` the
    share of the equity in base currency, ``target`` where the bot wants it, ``base_band`` its hard band.
    """

    bot: str
    variant: str
    start: float
    end: float
    step: float
    equity: Line
    drawdown: Line
    edge: Line
    turnover: Line
    cancels: Line
    states: tuple[tuple[int, int, str], ...]
    fills: tuple[tuple[int, int, int], ...]
    marks: tuple[PictureMark, ...]
    drawdown_limit: float
    turnover_limit: float
    cancel_budget: float
    verdict: str
    facts: tuple[str, ...]
    shares: tuple[tuple[str, float], ...]
    edge_below_pct: float | None = None
    rebased: bool = False
    base: Line = ((), ())
    target: Line = ((), ())
    base_band: tuple[float, float] = (0.0, 100.0)


def packed_picture(picture: BotPicture) -> dict[str, Any]:
    """Return a picture as JSON, for :func:`unpacked_picture`."""
    values = {field.name: getattr(picture, field.name) for field in fields(picture)}
    lines = {name: [_packed(half) for half in values[name]] for name in _LINES}
    return {**values, **lines, "marks": [astuple(mark) for mark in picture.marks]}


def unpacked_picture(body: dict[str, Any]) -> BotPicture:
    """Return the picture that :func:`packed_picture` gave. Raises TypeError for fields of another version."""
    lines = {name: tuple(_unpacked(half) for half in body[name]) for name in _LINES}
    marks = tuple(PictureMark(*mark) for mark in body["marks"])
    return BotPicture(**{**body, **lines, "marks": marks})


def _packed(half: tuple[float | None, ...]) -> str:
    values = array("d", [nan if value is None else value for value in half])
    return b2a_base64(values.tobytes(), newline=False).decode()


def _unpacked(half: str) -> tuple[float | None, ...]:
    values = array("d", a2b_base64(half))
    return tuple(None if value != value else value for value in values)  # noqa: PLR0124 - NaN
