"""An answer that has not the shape that its reader expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
