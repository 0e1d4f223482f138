"""Outcomes as figures: how often right, how often wrong with confidence, what would have done harm, how calibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from demo.lab.judgement import Judgement
from demo.lab.run import RunOutcome

BUCKETS = (0.0, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95, 1.0001)
BUCKET_COUNTS = 20
"""Runs that a bucket needs before its own error counts."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Verdicts of like confidence: what they say on average, and how often they are right."""

    low: float
    high: float
    runs: int
    says: float
    right: float

    @property
    def error(self) -> float:
        """How far what it says is from what is true."""
        return abs(self.says - self.right)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a set of outcomes; shares of 1, None where nothing counts for them.

    ``top1`` to ``abstention`` are of the settled verdict with all evidence; ``missing_wrong`` of the settled verdicts
    with a source missing; ``first_acceptable`` of the first verdict. ``harmful`` counts verdicts of all kinds.
    ``abstention``: of what has no cause to be named, how often none was; ``two_named``: of two faults, both named.
    """

    runs: int
    verdicts: int
    without_signal: int
    top1: float | None
    top3: float | None
    wrong: float | None
    right_action: float | None
    harmful: int
    abstention: float | None
    missing_wrong: float | None
    missing_top1: float | None
    two_named: float | None
    first_acceptable: float | None
    first_top1: float | None
    calibration_error: float | None
    buckets: tuple[Bucket, ...]
    signal_seconds: float | None
    verdict_ms: float | None


def share(judgements: Iterable[Judgement], of: Callable[[Judgement], bool]) -> float | None:
    """Return how many of the judgements are so, None of none."""
    found = list(judgements)
    return sum(map(of, found)) / len(found) if found else None


def figures(outcomes: Sequence[RunOutcome]) -> Figures:
    """Score a set of outcomes."""
    whole = [each for each in outcomes if not each.missing]
    with_signal = [each for each in whole if each.settled is not None and each.first is not None]
    settled = [each.settled for each in with_signal if each.settled is not None]
    first = [each.first for each in with_signal if each.first is not None]
    partly = [each.settled for each in outcomes if each.missing and each.settled is not None]
    calm = [
        each.settled for each in with_signal if each.settled is not None and each.run.fault.truth.abstains
    ]
    causes = [
        each.settled for each in with_signal if each.settled is not None and not each.run.fault.truth.abstains
    ]
    pairs = [each.settled for each in with_signal if each.settled is not None and each.run.together > 1]
    every = [one for each in outcomes for one in (each.first, each.settled) if one is not None]
    buckets = calibration([one for one in settled + partly if one.believed or one.said not in _SILENT])
    counted = sum(bucket.runs for bucket in buckets)
    seconds = sorted(each.signal_after for each in with_signal if each.signal_after is not None)
    times = sorted(one.seconds for one in every)
    return Figures(
        runs=len(whole),
        verdicts=len(every),
        without_signal=len(whole) - len(with_signal),
        top1=share(causes, lambda one: one.top1),
        top3=share(causes, lambda one: one.top3),
        wrong=share(settled, lambda one: one.wrong),
        right_action=share(settled, lambda one: one.right_action),
        harmful=sum(bool(one.harmful) for one in every),
        abstention=share(calm, lambda one: one.top1),
        missing_wrong=share(partly, lambda one: one.wrong),
        missing_top1=share(partly, lambda one: one.top1),
        two_named=share(pairs, lambda one: one.named == 2),  # noqa: PLR2004 - both of them
        first_acceptable=share(first, lambda one: one.acceptable),
        first_top1=share(first, lambda one: one.top1),
        calibration_error=sum(bucket.error * bucket.runs for bucket in buckets) / counted
        if counted
        else None,
        buckets=buckets,
        signal_seconds=seconds[len(seconds) // 2] if seconds else None,
        verdict_ms=1000 * times[int(len(times) * 0.99)] if times else None,
    )


_SILENT = frozenset({"no_cause_found", "nothing_is_wrong"})


def calibration(judgements: Sequence[Judgement]) -> tuple[Bucket, ...]:
    """Group verdicts that name a cause by what they say."""
    found = []
    for low, high in pairwise(BUCKETS):
        mine = [one for one in judgements if low <= one.confidence < high]
        if mine:
            says = sum(one.confidence for one in mine) / len(mine)
            right = sum(one.top1 for one in mine) / len(mine)
            found.append(Bucket(low=low, high=min(high, 1.0), runs=len(mine), says=says, right=right))
    return tuple(found)
