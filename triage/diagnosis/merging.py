"""One cause on several bots or containers is one: said once, of all of them, in grammatical sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import ALIKE
from triage.diagnosis.weights import LIKELY
from triage.wording import clock_time, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triage.diagnosis.case import Candidate
    from triage.model import Episode

NAMED = 3
"""So many bots or containers are named in a sentence; more are counted."""
_DOES = re.compile(
    r"\{who\}(?= (?:runs|takes|has|was|is|does|misses|goes|logs|stops|dies|uses|ended|restarts)\b)"
)
_ON_ITS_OWN = 0.5
"""Log-odds that each further bot with the same cause adds."""


def merged(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Make one of the same cause on several bots or containers."""
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        groups.setdefault(each.cause, []).append(each)
    return [_one(group) for group in groups.values()]


def _one(group: list[Candidate]) -> Candidate:
    """Make one of a group; it speaks as the surest of them does, and names all in the desk's order."""
    best = max(group, key=lambda each: each.score)
    same = [each for each in group if each.confidence >= LIKELY or each is best]
    more = len(same) - 1
    whole = replace(
        best,
        score=best.score + min(1.5, more * _ON_ITS_OWN),
        bots=_joined(each.bots for each in same),
        containers=_joined(each.containers for each in same),
        because=tuple(
            text for text in _joined(each.because for each in same) if not (more and text.startswith(ALIKE))
        )[:6],
        against=_joined(each.against for each in same)[:4],
        findings=_joined(each.findings for each in same),
        remedies=tuple({(one.kind, one.target): one for each in same for one in each.remedies}.values()),
        explains=_unique(each.explains for each in same),
        codes=_joined(each.codes for each in same),
        since=min((each.since for each in same if each.since is not None), default=None),
    )
    filled = {
        "{codes}": f" ({listed(whole.codes, NAMED)})" if whole.codes else "",
        "{since}": f" since {clock_time(whole.since)}" if whole.since is not None else "",
        "{figure}": best.figure if len({each.figure for each in same}) == 1 else "",
    }
    headline = _said_of_all(best, same)
    for name, text in filled.items():
        headline = headline.replace(name, text)
    return replace(
        whole,
        headline=named(headline, whole.bots or whole.containers or ("The desk",)),
        advice=named(whole.advice, whole.bots or whole.containers or ("it",)),
    )


def _said_of_all(best: Candidate, same: Sequence[Candidate]) -> str:
    """Return the headline of the surest; those that say the same of themselves are named with it."""
    _, _, rest = best.headline.partition(" ")
    heads = [each.headline.partition(" ") for each in same]
    names = tuple(dict.fromkeys(name for name, _, said in heads if said == rest))
    return named(f"{{who}} {rest}", names) if len(names) > 1 else best.headline


def named(sentence: str, names: Sequence[str]) -> str:
    """Return the sentence with the names for ``{who}``: a few of many, and grammatical for several."""
    who = listed(tuple(names), NAMED)
    if len(names) > 1:
        sentence = _DOES.sub("each of {who}", sentence)
    told = sentence.replace("{who}", who)
    return told[:1].upper() + told[1:] if sentence.startswith("each of") else told


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))


def _unique(groups: Iterable[tuple[Episode, ...]]) -> tuple[Episode, ...]:
    return tuple({(each.name, each.subject): each for group in groups for each in group}.values())
