"""An answer that has not the shape that its reader expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from triage.errors import SourceBadAnswer


@contextmanager
def answer_shape(source: str, what: str) -> Iterator[None]:
    """Turn what goes wrong on reading ``what`` out of a source's answer into SourceBadAnswer."""
    try:
        yield
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        kind = type(error).__name__
        raise SourceBadAnswer(source, f"its answer has not the shape of {what} ({kind})") from error


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - what JSON can be
    """Return a list of an answer; null is none, as Go and compatible servers write it. Raises TypeError for all else.

    An empty object or text read as "none" would say that nothing is there.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} where a list belongs")
    return value
