"""From findings to a verdict: every rule is asked, the causes ranked, the actions that fit chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes import RULES, VETOES, no_cause_found
from triage.diagnosis.facts import Facts
from triage.model import ActionProposal, Cause, Finding, FindingStatus, IncidentShape, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triage.diagnosis.checks.base import CheckContext
    from triage.diagnosis.playbooks import Playbook
    from triage.model import Episode

LIKELY = 0.5
"""From here on a cause is believed: its actions are proposed and its vetoes count."""
_WORTH_SAYING = 0.15
_CAUSES_MAX = 5
_ACTIONS_MAX = 5
_NEED_REDIS = frozenset({"soft_pause", "resume", "kill_switch"})
_ON_DESK = frozenset({"degraded_mode", "exit_degraded_mode", "start_desk", "stop_desk"})


def diagnose(
    findings: Sequence[Finding],
    ctx: CheckContext,
    episodes: Sequence[Episode] = (),
    playbook: Playbook | None = None,
) -> Verdict:
    """Return the verdict on the findings; pure.

    The causes come the most likely first; where nothing is likely, ``no_cause_found`` says so. The
    actions are those of the likely causes, then those the playbook offers, without what a likely cause
    forbids and without what cannot work now (an intent while Redis does not answer).
    """
    facts = Facts(
        desk=ctx.desk,
        now=ctx.now,
        since=ctx.since,
        bots=ctx.bots,
        containers=ctx.containers,
        findings={finding.name: finding for finding in findings},
        episodes=tuple(episodes),
        shape=ctx.incident.shape if ctx.incident is not None else IncidentShape.SINGLE,
    )
    found = [cause for rule in RULES for cause in rule(facts) if cause.confidence >= _WORTH_SAYING]
    ranked = sorted(found, key=lambda cause: (-cause.confidence, cause.cause))
    if not ranked or ranked[0].confidence < LIKELY:
        ranked = [*ranked, *no_cause_found.rule(facts)]
        ranked.sort(key=lambda cause: -cause.confidence)
    causes = tuple(ranked[:_CAUSES_MAX])
    return Verdict(
        causes=causes,
        actions=_actions(facts, causes, ctx, playbook),
        unknowns=tuple(_unknown(each) for each in findings if each.status is FindingStatus.UNKNOWN),
    )


def _unknown(finding: Finding) -> str:
    return f"{finding.name.replace('_', ' ')}: {finding.why or finding.headline}"


def _actions(
    facts: Facts, causes: tuple[Cause, ...], ctx: CheckContext, playbook: Playbook | None
) -> tuple[ActionProposal, ...]:
    likely = [cause for cause in causes if cause.confidence >= LIKELY]
    offered = [(cause.cause, action) for cause in likely for action in cause.actions]
    offered += [("", action) for action in _of_playbook(ctx, playbook)]
    allowed = set(playbook.actions) if playbook is not None and playbook.only_actions else None
    chosen: dict[tuple[str, str], ActionProposal] = {}
    for proposer, action in offered:
        # A cause knows what it proposes: its own veto is for what others would do.
        vetoes = [VETOES.get(cause.cause, frozenset()) for cause in likely if cause.cause != proposer]
        vetoed = frozenset[str]().union(*vetoes)
        possible = _is_known(ctx, action.target)
        possible = possible and (action.kind not in _NEED_REDIS or _redis_answers(facts))
        if action.kind not in vetoed and possible and (allowed is None or action.kind in allowed):
            chosen.setdefault((action.kind, action.target), action)
    return tuple(chosen.values())[:_ACTIONS_MAX]


def _is_known(ctx: CheckContext, target: str) -> bool:
    """Targets come out of labels: only what desk.yaml names is ever offered."""
    compose = ctx.desk.compose
    services = (*compose.external_services, *compose.monitoring_services)
    return target == "desk" or ctx.desk.bot(target) is not None or target in services


def _of_playbook(ctx: CheckContext, playbook: Playbook | None) -> Iterable[ActionProposal]:
    """The playbook's own offers are for what the incident names; a triage of all bots gets none."""
    incident = ctx.incident
    if playbook is None or incident is None:
        return
    for kind in playbook.actions:
        for target in ("desk",) if kind in _ON_DESK else incident.bots:
            yield ActionProposal(kind, target, f"offered by the playbook {playbook.name}")


def _redis_answers(facts: Facts) -> bool:
    """Intents go through Redis: without a sound answer of it they are not offered."""
    return bool(facts.data("streams").get("reachable")) and facts.data("streams").get("role") == "master"
