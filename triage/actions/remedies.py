"""Which of a verdict's remedies may be offered: each action's own fitness decides, the playbook may only narrow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triage.actions.catalogue import CATALOGUE, targets
from triage.actions.fitness import is_about
from triage.diagnosis.strength import strength
from triage.diagnosis.verdict import diagnose, facts_of
from triage.diagnosis.weights import LIKELY
from triage.model import ActionProposal, Verdict, Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triage.diagnosis.facts import Facts
    from triage.diagnosis.record import Record, TriageSubject
    from triage.model import Cause, Episode, Finding
    from triage.playbooks.model import Playbook

_ACTIONS_MAX = 5


def conclude(
    findings: Sequence[Finding],
    ctx: TriageSubject,
    episodes: Sequence[Episode] = (),
    playbook: Playbook | None = None,
) -> Verdict:
    """Return the verdict with the actions that may be offered, and why its other remedies may not; pure."""
    verdict = diagnose(findings, ctx, episodes, playbook)
    facts = facts_of(findings, ctx, episodes)
    allowed = frozenset(playbook.actions) if playbook is not None and playbook.only_actions else None
    offered: dict[tuple[str, str], ActionProposal] = {}
    withheld: dict[tuple[str, str], Withheld] = {}
    for cause in verdict.causes:
        if not cause.stands:
            continue
        for remedy in cause.actions:
            key = (remedy.kind, remedy.target)
            why = next(_objections(facts, verdict, cause, remedy, allowed), "")
            if not why:
                offered.setdefault(key, remedy)
            else:
                withheld.setdefault(key, Withheld(remedy.kind, remedy.target, why))
    return replace(
        verdict,
        actions=tuple(offered.values())[:_ACTIONS_MAX],
        withheld=tuple(each for key, each in withheld.items() if key not in offered),
    )


def judged(record: Record) -> Verdict:
    """Return the verdict of today's rules on recorded evidence; pure."""
    return conclude(record.findings, record, record.episodes, record.playbook)


def _objections(
    facts: Facts, verdict: Verdict, cause: Cause, remedy: ActionProposal, allowed: frozenset[str] | None
) -> Iterator[str]:
    """Yield why a remedy is not offered, the strongest reason first; nothing where it may be."""
    action = CATALOGUE.get(remedy.kind)
    # Targets come out of labels: only what the desk's own settings name is ever offered.
    if action is None or remedy.target not in targets(facts.desk, action.target_kind):
        yield "the desk knows no such target"
        return
    fitness = action.fitness
    yield from fitness.objections(facts, remedy.target)
    for other in verdict.causes:
        about = is_about(facts.desk, other, remedy.target)
        if other is not cause and other.confidence >= LIKELY and other.cause in fitness.not_while and about:
            yield fitness.not_while[other.cause]
    if cause.confidence < fitness.threshold:
        yield f"the cause is not sure enough for it: it is {strength(cause).lower()}"
    if allowed is not None and remedy.kind not in allowed:
        yield "the desk's playbook does not offer it"
