"""What a PromQL expression can answer, and how it can fail."""

from functools import lru_cache
from typing import NamedTuple

from demo.servers.tsdb import Labels, Point

LABELS_KEPT = 8_192
"""Label sets whose parts are remembered: the same series are asked again at every step."""


class PromqlError(Exception):
    """An expression that cannot be evaluated: Prometheus' 422 `execution`."""


class PromqlSyntaxError(Exception):
    """An expression that cannot be parsed: Prometheus' 400 `bad_data`."""


class Sample(NamedTuple):
    """One element of an instant vector. `at_ms` is the sample's own time, which only `timestamp()` asks for.

    A tuple, as a step of the rules makes thousands: a frozen dataclass takes three times as long to make.
    """

    labels: Labels
    value: float
    at_ms: int = 0


class Range(NamedTuple):
    """One element of a range vector: the points of `(or at) start .. end`, milliseconds; a tuple as a sample is."""

    labels: Labels
    points: list[Point]
    start_ms: int
    end_ms: int


Vector = list[Sample]
Matrix = list[Range]
Value = float | str | Vector | Matrix


def vector_of(value: Value) -> Vector:
    """Return an instant vector as it is, and an empty one of whatever else it may be."""
    return value if isinstance(value, list) and value and isinstance(value[0], Sample) else []


@lru_cache(maxsize=LABELS_KEPT)
def without_name(labels: Labels) -> Labels:
    """Return the labels less the metric's name, as functions and arithmetic answer them."""
    return tuple(pair for pair in labels if pair[0] != "__name__")


@lru_cache(maxsize=LABELS_KEPT)
def keep(labels: Labels, names: frozenset[str]) -> Labels:
    """Return only the labels of those names."""
    return tuple(pair for pair in labels if pair[0] in names)


@lru_cache(maxsize=LABELS_KEPT)
def drop(labels: Labels, names: frozenset[str]) -> Labels:
    """Return the labels less those names and the metric's name."""
    return tuple(pair for pair in labels if pair[0] not in names and pair[0] != "__name__")


def show(labels: Labels) -> str:
    """Write labels as Prometheus does in its messages: `name{a="b"}`."""
    name = dict(labels).get("__name__", "")
    body = ", ".join(f'{n}="{v}"' for n, v in labels if n != "__name__")
    return f"{name}{{{body}}}"


def unique(vector: Vector) -> Vector:
    """Return the vector. Raises PromqlError when two of its elements have the same labels."""
    if len({s.labels for s in vector}) != len(vector):
        raise PromqlError("vector cannot contain metrics with the same labelset")
    return vector
