"""How a rule makes its case: evidence for and against one cause, in log-odds, and what follows if it is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from triage.diagnosis.weights import CEILINGS, REPEATED, WORTH, Level, prior, probability
from triage.model import ActionProposal

if TYPE_CHECKING:
    from triage.diagnosis.facts import Facts
    from triage.model import Episode

BECAUSE_MAX = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """One cause that may be true, with its evidence.

    ``bots`` and ``containers`` are what it touches; ``score`` its log-odds, ``ceiling`` the probability that
    missing evidence leaves at most; ``direct``: the thing itself was seen. ``explains``: the alerts of this
    incident that it explains, filled in by the engine; never one that began before ``after``. ``alone``: it is not yet
    so far that it brings about what depends on it. ``families``: the alerts that this case of it can bring about, where
    they are fewer than the cause's.
    """

    cause: str
    headline: str
    score: float
    ceiling: float
    direct: bool
    bots: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    advice: str = ""
    remedies: tuple[ActionProposal, ...] = ()
    settle: str = ""
    by_hand: str = ""
    figure: str = ""
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    explains: tuple[Episode, ...] = ()
    consequences: tuple[str, ...] = ()
    after: datetime | None = None
    alone: bool = False
    families: frozenset[str] = frozenset()

    @property
    def confidence(self) -> float:
        """The calibrated probability, two decimals."""
        return round(min(self.ceiling, probability(self.score)), 2)

    @property
    def who(self) -> str:
        """What it is about, in words."""
        return ", ".join(self.bots or self.containers)


@dataclass(slots=True)
class Case:
    """Collects evidence for one cause; see ``weights`` for what a level is worth."""

    facts: Facts
    cause: str
    bots: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    because: list[str] = field(default_factory=list)
    contra: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    pieces: dict[str, list[float]] = field(default_factory=dict)
    minus: float = 0.0
    missing: int = 0
    direct: bool = False
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    after: datetime | None = None
    alone: bool = False
    families: frozenset[str] = frozenset()

    def sees(self, level: Level, text: str, finding: str = "") -> None:
        """Take evidence into account. More of the same source adds little: it is not independent.

        ``finding`` is the check that saw it, or another name of the source where no check did (an alert).
        """
        self.pieces.setdefault(finding or text, []).append(WORTH[level])
        self.direct = self.direct or level == "proof"
        self._note(self.because, text, finding)

    def doubts(self, level: Level, text: str = "", finding: str = "") -> None:
        """Take what speaks against it into account."""
        self.minus += WORTH[level]
        self._note(self.contra, text, finding)

    def needs(self, *checks: str) -> None:
        """Lower what can be believed for each of these checks that was asked and has no answer."""
        self.missing += sum(self.facts.asked(each) and not self.facts.answered(each) for each in checks)

    def began(self, at: datetime | None) -> None:
        """Note when it began: the earliest moment that was seen."""
        if at is not None:
            self.since = at if self.since is None else min(self.since, at)

    @property
    def score(self) -> float:
        """The log-odds: the prior, the strongest piece of each source, a share of its others, what is against it."""
        plus = 0.0
        for worths in self.pieces.values():
            best = max(worths)
            plus += best + REPEATED * (sum(worths) - best if best > 0 else 0.0)
        return prior(self.cause) + plus + self.minus

    def concludes(
        self,
        headline: str,
        advice: str,
        *,
        remedies: Iterable[ActionProposal] = (),
        settle: str = "",
        by_hand: str = "",
        figure: str = "",
    ) -> Iterable[Candidate]:
        """Yield the cause, if anything speaks for it.

        ``{who}`` in the texts is what it touches, ``{figure}`` in the headline what was measured on this bot alone:
        it is left out where the cause is found on several and is not the same of all. ``{codes}`` and ``{since}`` in the
        headline are the exchange's codes and the earliest beginning, of all that the cause is found on.
        """
        if not self.pieces:
            return
        yield Candidate(
            cause=self.cause,
            headline=headline,
            score=self.score,
            ceiling=CEILINGS[0] if self.direct else CEILINGS[min(self.missing, len(CEILINGS) - 1)],
            direct=self.direct,
            bots=self.bots,
            containers=self.containers,
            because=tuple(self.because[:BECAUSE_MAX]),
            against=tuple(self.contra[:BECAUSE_MAX]),
            findings=tuple(self.findings),
            advice=advice,
            remedies=tuple(remedies),
            settle=settle,
            figure=figure,
            codes=tuple(dict.fromkeys(self.codes)),
            by_hand=by_hand,
            since=self.since,
            after=self.after,
            alone=self.alone,
            families=self.families,
        )

    def _note(self, place: list[str], text: str, finding: str) -> None:
        if text and text not in place:
            place.append(text)
        if self.facts.asked(finding) and finding not in self.findings:
            self.findings.append(finding)


def remedy(kind: str, targets: Iterable[str], why: str, **arguments: str) -> tuple[ActionProposal, ...]:
    """Name an action that would help, for each target; ``arguments`` are what its form shows as chosen."""
    chosen: Mapping[str, str] = arguments
    return tuple(ActionProposal(kind, target, why, dict(chosen)) for target in dict.fromkeys(targets))
