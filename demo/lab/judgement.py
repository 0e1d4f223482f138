"""A verdict beside the truth: what was right, what was believed and wrong, what would have done harm. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo.lab.fault import HARMFUL, NO_CAUSE_FOUND, NOTHING_IS_WRONG, Truth, named
from triage.model import Verdict

BELIEVED = 0.5
"""From this confidence on a verdict says that it is so."""
SAYS_NOTHING = frozenset({NO_CAUSE_FOUND, NOTHING_IS_WRONG})


@dataclass(frozen=True, slots=True)
class Struck:
    """The truths of a run, each with the bot it struck (empty where it is about none)."""

    truths: tuple[tuple[Truth, str], ...]

    @property
    def names(self) -> frozenset[str]:
        """Every name of a cause that is right."""
        return frozenset().union(*(truth.names for truth, _ in self.truths))

    @property
    def abstains(self) -> bool:
        """Whether the right answer blames nothing."""
        return all(truth.abstains for truth, _ in self.truths)

    def actions(self, *, tolerated: bool) -> set[tuple[str, str]]:
        """Return the remedies, or what may stand beside them, as (kind, target)."""
        return {
            named(pattern, bot)
            for truth, bot in self.truths
            for pattern in (truth.tolerated if tolerated else truth.right)
        }

    def forbidden(self) -> set[tuple[str, str]]:
        """Return what the truths forbid by name."""
        return {named(pattern, bot) for truth, bot in self.truths for pattern in truth.forbidden}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict judged.

    ``top1``, ``top3``: the truth is first, or among the first three; blaming nothing is first where that is right.
    ``believed``: a cause is said to be so; ``wrong``: and it is not. ``abstained``: no cause is said to be so.
    ``right_action``: what should be offered is, nothing that harms beside it. ``harmful``: the actions that would.
    ``named``: how many of the truths are among the causes that are believed.
    """

    said: str
    confidence: float
    top1: bool
    top3: bool
    believed: bool
    wrong: bool
    right_action: bool
    harmful: tuple[str, ...]
    named: int
    seconds: float = 0.0

    @property
    def abstained(self) -> bool:
        """Whether no cause is said to be so."""
        return not self.believed

    @property
    def acceptable(self) -> bool:
        """Whether one could have worked with it: right, or open about not knowing, and without harm."""
        return not self.harmful and (self.top1 or self.abstained)


def judge(verdict: Verdict, struck: Struck, seconds: float = 0.0) -> Judgement:
    """Judge one verdict."""
    ranked = [cause for cause in verdict.causes if cause.cause not in SAYS_NOTHING]
    top = verdict.top
    said, confidence = (top.cause, top.confidence) if top is not None else (NO_CAUSE_FOUND, 0.0)
    believed = top is not None and said not in SAYS_NOTHING and confidence >= BELIEVED
    names = struck.names
    if struck.abstains:
        top1 = top3 = not believed or said in names
    else:
        top1 = said in names
        top3 = any(cause.cause in names for cause in ranked[:3])
    strong = {cause.cause for cause in ranked if cause.confidence >= BELIEVED}
    wrong = (believed and said not in names) or (
        said == NOTHING_IS_WRONG and confidence >= BELIEVED and not struck.abstains and said not in names
    )
    harmful = harm(verdict, struck)
    return Judgement(
        said=said,
        confidence=confidence,
        top1=top1,
        top3=top3,
        believed=believed,
        wrong=wrong,
        right_action=not harmful and _offers_right(verdict, struck),
        harmful=harmful,
        named=sum(bool(truth.names & strong) for truth, _ in struck.truths),
        seconds=seconds,
    )


def harm(verdict: Verdict, struck: Struck) -> tuple[str, ...]:
    """Return the actions offered that would do harm, as ``kind target``."""
    allowed: set[tuple[str, str]] = struck.actions(tolerated=False) | struck.actions(tolerated=True)
    forbidden = struck.forbidden()
    found = []
    for action in verdict.actions:
        mine, any_target = (action.kind, action.target), (action.kind, "")
        named_so = mine in forbidden or any_target in forbidden
        if named_so or (action.kind in HARMFUL and mine not in allowed and any_target not in allowed):
            found.append(f"{action.kind} {action.target}")
    return tuple(found)


def _offers_right(verdict: Verdict, struck: Struck) -> bool:
    offered = {(action.kind, action.target) for action in verdict.actions}
    wanted = struck.actions(tolerated=False)
    if wanted:
        return any(one in wanted or (one[0], "") in wanted for one in offered)
    tolerated = struck.actions(tolerated=True)
    return all(one in tolerated or (one[0], "") in tolerated for one in offered)


def merged(judgements: Sequence[Judgement], struck: Struck, named_together: int) -> Judgement:
    """Return the judgement of a run with several incidents: the first one's, with the harm of all and their remedies.

    Where a remedy is wanted it may be offered on any of them: each card offers what helps its own.
    """
    first = judgements[0]
    offered = any(each.right_action for each in judgements)
    right = offered if struck.actions(tolerated=False) else first.right_action
    harmful = tuple(dict.fromkeys(one for each in judgements for one in each.harmful))
    return Judgement(
        said=first.said,
        confidence=first.confidence,
        top1=first.top1,
        top3=first.top3,
        believed=first.believed,
        wrong=any(each.wrong for each in judgements),
        right_action=right and not harmful,
        harmful=harmful,
        named=min(named_together, len(struck.truths)),
        seconds=max(each.seconds for each in judgements),
    )
