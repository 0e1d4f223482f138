"""Fits the calibration table of ``triage.diagnosis.weights`` on verdicts of the development half. Pure.

Isotonic regression: how often a verdict of a confidence was right, as a curve that never falls (pool adjacent
violators). Verdicts of one fault at one confidence count as one: a fault that is run ten times is no ten faults.
Each level is drawn towards what it says with the weight of ``UNSEEN`` faults: those of tomorrow are not the lab's.
Below even odds nothing is corrected, so that what is believed does not depend on the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from demo.lab.judgement import BELIEVED
from demo.lab.run import RunOutcome
from triage.diagnosis import weights

UNSEEN = 10.0
STEP = 0.02
"""Confidences that are nearer together than this are one level."""

Table = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Verdicts of like confidence before correction: what they say on average, how often right, of how many faults."""

    says: float
    right: float
    faults: float

    @property
    def drawn(self) -> float:
        """How often right, drawn towards what it says."""
        return (self.right * self.faults + self.says * UNSEEN) / (self.faults + UNSEEN)


def judged(outcomes: Iterable[RunOutcome]) -> list[tuple[str, float, bool]]:
    """Return fault, uncorrected confidence and whether right of each verdict with all evidence that names a cause."""
    return [
        (each.run.fault.name, weights.uncalibrated(one.confidence), one.top1)
        for each in outcomes
        for one in (each.first, each.settled)
        if one is not None and one.believed and not each.missing
    ]


def levels(verdicts: Sequence[tuple[str, float, bool]]) -> list[Level]:
    """Group verdicts by confidence, those of a fault as one."""
    groups: dict[int, dict[str, list[tuple[float, bool]]]] = {}
    for fault, said, right in verdicts:
        groups.setdefault(round(said / STEP), {}).setdefault(fault, []).append((said, right))
    found = []
    for _, faults in sorted(groups.items()):
        shares = [sum(right for _, right in mine) / len(mine) for mine in faults.values()]
        says = [sum(said for said, _ in mine) / len(mine) for mine in faults.values()]
        found.append(Level(sum(says) / len(says), sum(shares) / len(shares), float(len(faults))))
    return found


def pooled(found: Sequence[Level]) -> list[Level]:
    """Pool neighbours until none is right less often than the one before it."""
    done: list[Level] = []
    for level in found:
        done.append(level)
        while len(done) > 1 and done[-1].drawn < done[-2].drawn:
            last, before = done.pop(), done.pop()
            faults = last.faults + before.faults
            done.append(
                Level(
                    (last.says * last.faults + before.says * before.faults) / faults,
                    (last.right * last.faults + before.right * before.faults) / faults,
                    faults,
                )
            )
    return done


def fitted(verdicts: Sequence[tuple[str, float, bool]]) -> Table:
    """Return the table: identity up to even odds, then the curve, rounded to two decimals."""
    curve = [
        (round(each.says, 2), round(each.drawn, 2))
        for each in pooled(levels(verdicts))
        if each.says > BELIEVED
    ]
    low = ((0.0, 0.0), (BELIEVED, BELIEVED))
    return (*low, *((says, max(BELIEVED, right)) for says, right in curve), (1.0, 1.0))


def lines(verdicts: Sequence[tuple[str, float, bool]]) -> list[str]:
    """Return the levels and the table that follows from them, for a terminal."""
    told = [
        f"  said {each.says:.2f}: right {each.right:.2f} of {each.faults:.0f} faults"
        for each in levels(verdicts)
    ]
    return [
        "uncorrected confidences, faults counted once a level:",
        *told,
        f"CALIBRATION = {fitted(verdicts)}",
    ]
