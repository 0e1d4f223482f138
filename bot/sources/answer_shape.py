"""An answer that has not the shape that its reader expects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from triage.errors import SourceBadAnswer

T = TypeVar("T")


@contextmanager
def answer_shape(source: str, what: str) -> Iterator[None]:
    """Turn what goes wrong on reading ``what`` out of a source's answer into SourceBadAnswer."""
    try:
        yield
    except BROKEN as error:
        kind = type(error).__name__
        raise SourceBadAnswer(source, f"its answer has not the shape of {what} ({kind})") from error


BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading something of another shape raises."""


def readable(items: Iterable[Any], read: Callable[[Any], T]) -> tuple[list[T], int]:
    """Return what can be read of a list, and how many items cannot.

    Where none can, the first fault is raised: then it is the list that has another shape. For lists in which an item that
    is left out is not taken for one that is not there.
    """
    found, faults = [], []
    for item in items:
        try:
            found.append(read(item))
        except BROKEN as fault:
            faults.append(fault)
    if faults and not found:
        raise faults[0]
    return found, len(faults)


def told_apart(items: Iterable[Any], read: Callable[[Any], T], instead: Callable[[Any], T]) -> tuple[T, ...]:
    """Return a list of which an item that cannot be read is what ``instead`` makes of it.

    Where none can, the first fault is raised: then it is the list that has another shape.
    """
    found, faults = [], []
    for item in items:
        try:
            found.append(read(item))
        except BROKEN as fault:
            faults.append(fault)
            found.append(instead(item))
    if faults and len(faults) == len(found):
        raise faults[0]
    return tuple(found)


def known_text(value: Any, *way: str | int) -> str:  # noqa: ANN401 - what JSON can be
    """Return a text that stands somewhere in an item that cannot be read as a whole; empty where it is none."""
    for key in way:
        try:
            value = value[key]
        except BROKEN:
            return ""
    return value if isinstance(value, str) else ""


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - what JSON can be
    """Return a list of an answer; null is none, as Go and compatible servers write it. Raises TypeError for all else.

    An empty object or text read as "none" would say that nothing is there.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} where a list belongs")
    return value
