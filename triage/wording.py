"""Numbers as operators read them: short, with their unit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[\W_]+(?=\d)")


def duration(seconds: float) -> str:
    """Return ``22 s``, ``4 min``, ``3 h 5 min``, ``3 d 4 h``; the two largest units at most."""
    whole = max(0, round(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        hours, rest = divmod(whole, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days, rest = divmod(whole, _DAY)
    return f"{days} d {rest // _HOUR} h" if rest >= _HOUR else f"{days} d"


def percent(fraction: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Return a fraction as percent: ``0.0002`` is ``0.02 %``; ``?`` where there is none."""
    if fraction is None or not math.isfinite(fraction):
        return "?"
    return f"{decimal(fraction * 100, digits, signed=signed)} %"


def decimal(value: float, places: int, *, signed: bool = False) -> str:
    """Return a number with so many places, thousands apart: ``-1,234.50``. What shows as zero has no sign."""
    shown = round(value, places)
    sign = "+" if signed and shown else ""
    return f"{shown + 0.0:{sign},.{places}f}"


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known word most like a misspelt one, empty where none is.

    Case and what joins words do not count; digits are never guessed: ``bot9`` is not like ``bot1``. ``likeness``: of 1,
    which is the same word.
    """
    numbered = {_letters(one): one for one in known if _digits(one) == _digits(word)}
    found = get_close_matches(_letters(word), numbered, n=1, cutoff=likeness)
    return numbered[found[0]] if found else ""


def together(words: Sequence[str], known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return the words, several that make a known one as that one: ``bot 1`` and ``Bot 1`` are ``bot1``.

    One word counts in any case but is otherwise not guessed; numbers that stand apart are never made one: ``bot 1 2`` is
    not ``bot12``. What could be two of the known ones stays as it is.
    """
    whole: dict[str, list[str]] = {}
    parted: dict[tuple[str, ...], list[str]] = {}
    for one in known:
        whole.setdefault(one.casefold(), []).append(one)
        parted.setdefault(_joined(one), []).append(one)
    kept: list[str] = []
    rest = list(words)
    while rest:
        for count in range(1, min(most, len(rest)) + 1):
            found = (
                parted.get(_joined(" ".join(rest[:count])), [])
                if count > 1
                else whole.get(rest[0].casefold(), [])
            )
            if len(found) == 1 or rest[0] in found:
                kept.append(rest[0] if rest[0] in found else found[0])
                rest = rest[count:]
                break
        else:
            kept.append(rest.pop(0))
    return tuple(kept)


def _letters(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _joined(words: str) -> tuple[str, ...]:
    """Return the letters of words, parted where a number ends and another one begins."""
    return tuple(map(_letters, _BETWEEN_NUMBERS.split(words)))


def _digits(word: str) -> str:
    return "".join(letter for letter in word if letter.isdigit())


def number(value: float) -> str:
    """Return at most two decimals, none where there is nothing behind the point: ``3``, ``0.4``."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)


def counted(count: int, one: str, many: str = "") -> str:
    """Return ``1 restart``, ``3 restarts``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def times(count: int) -> str:
    """Return how often, with a sign of multiplication."""
    return f"×{count}"  # noqa: RUF001 - the sign of multiplication is meant


def listed(names: list[str] | tuple[str, ...], limit: int = 5) -> str:
    """Return names with commas; a long list is cut with ``and 3 more``."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def doing(names: list[str] | tuple[str, ...], one: str, many: str, limit: int = 3) -> str:
    """Return ``bot1 runs``, ``bot1, bot2 run``: names, cut, with the verb for their number."""
    return f"{listed(names, limit)} {one if len(names) == 1 else many}"


def size(count: float) -> str:
    """Return bytes in binary units: ``1.2 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:  # noqa: PLR2004 - what a binary unit is
            return f"{number(round(count, 1))} {unit}"
        count /= 1024
    return f"{number(round(count, 1))} GiB"


def clock_time(at: datetime) -> str:
    """Return the time of day in UTC: ``03:12``."""
    return at.strftime("%H:%M")
