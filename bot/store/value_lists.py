"""Lists of values in one statement."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def padded(values: list[T]) -> list[T]:
    """Return the values with the last one repeated up to a power of two.

    ``IN (?, ?, ?)`` is another statement for each number of values, and the drivers keep the statements they have
    prepared: with a list of any length each they would hold megabytes of them.
    """
    if not values:
        return values
    size = 1 << (len(values) - 1).bit_length()
    return values + values[-1:] * (size - len(values))
