"""How evidence becomes a confidence.

Each piece of evidence has a weight: how likely the cause is from it alone. Independent pieces add up as
the chance that not all of them mislead: ``1 - (1-w1)(1-w2)…``. What speaks against it multiplies. A check
that could have confirmed it and has no answer takes its share too. Nothing is ever certain.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triage.model import ActionProposal, Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts

CERTAIN = 0.97
REPEATED_SHARE = 0.3
BECAUSE_MAX = 6
UNKNOWN_SHARE = 0.9
"""What is left of the confidence for each relevant check without an answer."""


@dataclass(slots=True)
class Weighing:
    """Collects evidence for one cause."""

    facts: Facts
    doubt: float = 1.0
    factor: float = 1.0
    because: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, float]] = field(default_factory=Counter)

    def add(self, weight: float, text: str, finding: str = "") -> None:
        """Take evidence of a weight (0 to 1) into account.

        The same evidence once more, of another bot say, is hardly independent: it counts less each time.
        """
        self.doubt *= 1.0 - weight * REPEATED_SHARE ** self.seen[finding, weight]
        self.seen[finding, weight] += 1
        if text and text not in self.because:
            self.because.append(text)
        if finding and finding not in self.findings:
            self.findings.append(finding)

    def against(self, factor: float, text: str = "", finding: str = "") -> None:
        """Take what speaks against it into account: ``factor`` 0.5 halves the confidence."""
        self.factor *= factor
        if text:
            self.because.append(f"but {text}")
        if finding and finding not in self.findings:
            self.findings.append(finding)

    def needs(self, *checks: str) -> None:
        """Lower the confidence for each of these checks that was asked and has no answer."""
        for check in checks:
            if self.facts.asked(check) and not self.facts.answered(check):
                self.factor *= UNKNOWN_SHARE

    @property
    def confidence(self) -> float:
        """From 0 to ``CERTAIN``, two decimals."""
        return round(min(CERTAIN, (1.0 - self.doubt) * self.factor), 2)

    def _because(self) -> tuple[str, ...]:
        if len(self.because) <= BECAUSE_MAX:
            return tuple(self.because)
        return (*self.because[:BECAUSE_MAX], f"and {len(self.because) - BECAUSE_MAX} more")

    def cause(
        self, cause: str, headline: str, advice: str = "", actions: Iterable[ActionProposal] = ()
    ) -> Iterable[Cause]:
        """Yield the cause if there is any evidence for it."""
        if self.confidence > 0:
            yield Cause(
                cause=cause,
                headline=headline,
                confidence=self.confidence,
                because=self._because(),
                advice=advice,
                actions=tuple(actions),
                findings=tuple(self.findings),
            )


def propose(kind: str, targets: Iterable[str], why: str, **arguments: str) -> tuple[ActionProposal, ...]:
    """Propose an action for each target; ``arguments`` are what its form shows as chosen."""
    return tuple(ActionProposal(kind, target, why, arguments) for target in dict.fromkeys(targets))
