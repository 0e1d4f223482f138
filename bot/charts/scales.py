"""Ticks and numbers: round values that a phone's width can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor, log10

_HOURS = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 3, 4, 6, 12, 24, 48, 72, 120, 168, 240)


def ticks(low: float, high: float, wanted: int) -> list[float]:
    """Return about ``wanted`` round values between two numbers."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, wanted)
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [0.0 if not index else index * step for index in range(first, last + 1)]


def number(value: float, span: float) -> str:
    """Return a number with as many decimals as a difference of ``span`` asks for: ``10,250``, ``0.05``."""
    decimals = max(0, min(6, ceil(1 - log10(span)))) if span > 0 else 2
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_ticks(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Return (epoch seconds, label) of at most about ``most`` round times in UTC."""
    hours = (end - start) / 3600
    step = round(next((step for step in _HOURS if hours / step <= most), _HOURS[-1]) * 3600)
    form = "%H:%M" if step < 24 * 3600 else "%b %d"
    first = ceil(start / step) * step
    times = [float(at) for at in range(int(first), int(end) + 1, int(step))]
    return [(at, f"{datetime.fromtimestamp(at, UTC):{form}}") for at in times]


def period(start: float, end: float) -> str:
    """Return a window in words: ``2026-02-20 00:00 to 2026-02-21 00:00 UTC``."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (start, end))
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def without_half_word(kept: str, whole: str) -> str:
    """Return the beginning of a text without the word that the cut parted, where enough stands before it."""
    if whole[len(kept) :].startswith(" "):
        return kept
    words = kept[: kept.rfind(" ") + 1].rstrip(" ·,;:(")
    return words if len(words) > len(kept) // 2 else kept
