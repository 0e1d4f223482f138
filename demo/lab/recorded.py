"""Recorded cases: evidence of a real desk with what a person said it was. Nothing is simulated, only judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.lab.fault import NO_CAUSE_FOUND, NOTHING_IS_WRONG
from triage.actions.remedies import judged
from triage.errors import BadInput
from triage.model import Verdict
from triage.reports.cases import CaseTruth, RecordedCase, case_from_json

_BLAMES_NOTHING = frozenset({"", NOTHING_IS_WRONG, NO_CAUSE_FOUND})


@dataclass(frozen=True, slots=True)
class Judged:
    """One case judged by today's rules.

    ``said``: the first cause that is named, or empty. ``right``: it is the true one, or none is named and the rules
    know none that was true. ``wrong``: a cause is named that is not the true one. ``remedy``: whether an action that helped
    is offered; None where no action is known to have helped. ``harmful``: forbidden actions that are offered.
    """

    case: RecordedCase
    said: str
    right: bool
    wrong: bool
    remedy: bool | None
    harmful: tuple[str, ...]

    @property
    def line(self) -> str:
        """It in one line."""
        truth = self.case.truth or CaseTruth()
        what = "right" if self.right else "believed and wrong" if self.wrong else "not named"
        missed = " · none of what helped is offered" if self.remedy is False else ""
        harm = f" · forbidden: {', '.join(self.harmful)}" if self.harmful else ""
        was = truth.cause or (
            f"not {', '.join(truth.never)}" if truth.never else truth.text or "none of the known causes"
        )
        return f"  {self.case.name}: {what}: says {self.said or 'no cause'}, was {was}{missed}{harm}"


def recorded_in(folder: Path) -> list[RecordedCase]:
    """Return the recorded cases of a folder, by file. Raises ValueError naming a file that cannot be read."""
    cases = []
    for path in sorted(folder.glob("*.json")):
        try:
            cases.append(case_from_json(json.loads(path.read_text(encoding="utf-8")), path.stem))
        except (BadInput, OSError, ValueError) as error:
            raise ValueError(f"{path} is no recorded case: {error}") from error
    return cases


def judge_recorded(cases: Sequence[RecordedCase]) -> list[Judged]:
    """Judge the cases of which somebody said what it was."""
    return [judge_case(each, each.truth, judged(each.record)) for each in cases if each.truth is not None]


def judge_case(case: RecordedCase, truth: CaseTruth, verdict: Verdict) -> Judged:
    """Judge one verdict beside the truth."""
    standing = [each.cause for each in verdict.causes if each.stands]
    said = standing[0] if standing else ""
    names = {truth.cause, *truth.also} - {""}
    calm = not names or names <= _BLAMES_NOTHING
    blames = said not in _BLAMES_NOTHING
    right = said in names or (calm and not blames)
    # Where nobody knows what it was, only what it was not can be wrong.
    known = bool(names) or not truth.never
    wrong = not right and bool(said) and (known or said in truth.never)
    offered = {f"{each.kind} {each.target}" for each in verdict.actions}
    return Judged(
        case=case,
        said=said,
        right=right,
        wrong=wrong,
        remedy=bool(offered & set(truth.right)) if truth.right else None,
        harmful=tuple(sorted(offered & set(truth.forbidden))),
    )


def recorded_lines(cases: Sequence[RecordedCase], found: Sequence[Judged]) -> list[str]:
    """Return the figures of recorded cases, then one line a case that is not right."""
    acted = [each for each in found if each.remedy is not None]
    lines = [
        f"recorded cases: {len(cases)}, of which {len(cases) - len(found)} have no truth and are not judged"
    ]
    if found:
        lines.append(
            f"  right {_of(sum(each.right for each in found), len(found))}, "
            f"believed and wrong {_of(sum(each.wrong for each in found), len(found))}, "
            f"what helped is offered {_of(sum(bool(each.remedy) for each in acted), len(acted))}, "
            f"forbidden actions offered {sum(bool(each.harmful) for each in found)}"
        )
    return [*lines, *(each.line for each in found if not each.right or each.harmful or each.remedy is False)]


def _of(count: int, total: int) -> str:
    return f"{count} of {total} ({count / total:.0%})" if total else "not known of any"
