"""Numbers that another program wrote, read as it may write them and no more.

Python's ``float`` and ``int`` also take ``1_000``, `` 1``, digits of other scripts and ``infinity``: what is damaged, or
was never meant as a number, would count as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[Ii]nf|NaN|nan", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_PLAIN = re.compile(r"[0-9.,eE+-]*", re.ASCII)
"""Characters of which Python takes for a number only what is one."""


def real(value: object) -> float:
    """Return the number that a value is or its text writes (``1e-7``, ``+Inf``, ``NaN``). Raises ValueError for others."""
    if isinstance(value, str):
        if _REAL.fullmatch(value) is None:
            raise ValueError(f"no number: {value[:40]!r}")
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"no number but {type(value).__name__}")


def reals(values: Sequence[object]) -> list[float]:
    """Return what ``real`` makes of each; of many plain ones sooner."""
    try:
        joined = ",".join(values)  # type: ignore[arg-type] # what is no text is read one by one
    except TypeError:
        return [real(value) for value in values]
    if _PLAIN.fullmatch(joined) is None:
        return [real(value) for value in values]
    return [float(value) for value in values]  # type: ignore[arg-type] # all are texts


def whole(value: object) -> int:
    """Return the whole number that a value is, or that its text writes. Raises ValueError for others."""
    if isinstance(value, str):
        if _WHOLE.fullmatch(value) is None:
            raise ValueError(f"no whole number: {value[:40]!r}")
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"no whole number but {type(value).__name__}")


def is_whole(text: str) -> bool:
    """Whether a text is digits, and few enough to be a number: ``whole`` takes it."""
    return text.isascii() and text.isdecimal() and len(text) <= DIGITS


DIGITS = 300
"""Digits of a whole number: more no float holds."""
