"""From findings to a verdict: rules make their cases, the engine decides which of them stand.

The steps, each a pure function: bind (what explains none of the incident's alerts is no cause of it), merge (one
cause on several bots is one), explain away (a believed upstream cause takes what it brings about), choose (the
fewest causes that explain the alerts; independent ones stand together). docs/diagnosis.md tells why so.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from triage.diagnosis.causes import EXPLAINS, RULES
from triage.diagnosis.causes._families import STANDING
from triage.diagnosis.causes.no_cause_found import abstain
from triage.diagnosis.dependencies import UPSTREAM
from triage.diagnosis.facts import Facts
from triage.diagnosis.merging import merged
from triage.diagnosis.symptoms import STRANGE, brief_pause, family, holds, incident_signals, troubles
from triage.diagnosis.weights import (
    CERTAIN,
    CHANCE,
    CONSEQUENCE,
    EVERYDAY,
    EXPLAINED,
    HIGHEST,
    LIKELY,
    RIVAL,
    STRANGE_ALERT,
)
from triage.model import Cause, Finding, FindingStatus, IncidentShape, SubjectKind, Verdict
from triage.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.record import TriageSubject
    from triage.model import Episode
    from triage.playbooks.model import Playbook

_WORTH_SAYING = 0.1
_CAUSES_MAX = 5
_UNSAID = frozenset({"nothing_is_wrong"})


def facts_of(findings: Sequence[Finding], ctx: TriageSubject, episodes: Sequence[Episode] = ()) -> Facts:
    """Return what the rules look at."""
    incident = ctx.incident
    facts = Facts(
        desk=ctx.desk,
        now=ctx.now,
        since=ctx.since,
        bots=ctx.bots,
        containers=ctx.containers,
        findings={finding.name: finding for finding in findings},
        episodes=tuple(episodes),
        shape=incident.shape if incident is not None else IncidentShape.SINGLE,
        asked_by_hand=incident is None and not episodes,
        degraded_since=ctx.degraded_since,
    )
    return replace(facts, seen_troubles=troubles(facts))


def diagnose(
    findings: Sequence[Finding],
    ctx: TriageSubject,
    episodes: Sequence[Episode] = (),
    playbook: Playbook | None = None,
) -> Verdict:
    """Return the verdict on the findings; pure, the same for the same input.

    The causes come the most likely first; where none is likely, ``no_cause_found`` says so. Which actions may be
    offered is not decided here: ``triage.actions.remedies.conclude`` does.
    """
    del playbook
    facts = facts_of(findings, ctx, episodes)
    signals = _signals(facts, ctx)
    found = [candidate for rule in RULES.values() for candidate in rule(facts)]
    bound = [each for each in (_bound(facts, one, signals) for one in found) if each is not None]
    weighed = _explained_away(merged(bound))
    causes, standing = _chosen(weighed)
    if not standing:
        causes.append(abstain(facts))
    shown = sorted(causes, key=_place)[:_CAUSES_MAX]
    return Verdict(
        causes=tuple(
            _said(each, stands=each.cause in standing) for each in shown if each.confidence >= _WORTH_SAYING
        ),
        unknowns=_unknowns(findings),
        unexplained=_unexplained(signals, [each for each in shown if each.cause in standing]),
    )


def _signals(facts: Facts, ctx: TriageSubject) -> tuple[Episode, ...]:
    """What has to be explained: the incident's alerts and events, or else what shows on the desk by itself."""
    told = tuple(each for each in facts.episodes if each.firing or each.is_event)
    if told:
        return told
    return incident_signals(ctx.incident) if ctx.incident is not None else facts.seen_troubles


def _bound(facts: Facts, candidate: Candidate, signals: Sequence[Episode]) -> Candidate | None:
    """Bind a cause to the alerts it explains; None where there is none: then it is no cause of this incident."""
    if candidate.cause in _UNSAID:
        return candidate
    families = candidate.families or EXPLAINS[candidate.cause]
    everyday = candidate.cause in EVERYDAY
    explained = tuple(
        each
        for each in signals
        if _in_time(candidate, each)
        and _reaches(facts, candidate, each, families)
        and not (everyday and _not_about(facts, each))
    )
    if not explained:
        return None
    score = candidate.score
    known = tuple(each for each in explained if family(each) != STRANGE)
    if not known:
        score = min(score, CHANCE) if everyday else score + STRANGE_ALERT
    elif everyday:
        explained = known
    return replace(candidate, explains=explained, score=score)


def _in_time(candidate: Candidate, signal: Episode) -> bool:
    """Say whether an alert can be of a cause that is known to have begun at a time: not one that was there before."""
    return candidate.after is None or signal.starts_at >= candidate.after


def _not_about(facts: Facts, signal: Episode) -> bool:
    """Say whether what an alert states does not hold now, so that what is usual on any day does not explain it.

    An alert about missing fills does not hold of a paused bot; yet its pause explains the alert, unless it is a short one.
    """
    if holds(facts, signal) is not False:
        return False
    about_fills = family(signal) == "no_fills" and signal.subject.kind is SubjectKind.BOT
    return not about_fills or brief_pause(facts, signal.subject.name)


def _reaches(facts: Facts, candidate: Candidate, signal: Episode, families: frozenset[str]) -> bool:
    about = family(signal)
    if about != STRANGE and about not in families:
        return False
    if signal.subject.kind is SubjectKind.BOT:
        return _touches(facts, candidate, signal.subject.name, about)
    if signal.subject.kind is SubjectKind.CONTAINER:
        return signal.subject.name in candidate.containers
    if (
        signal.subject.kind is SubjectKind.DESK
        and about in STANDING
        and signal.subject.name != facts.desk.name
    ):
        # Several things by their names, or a part of the desk: what stands elsewhere is not what it tells of.
        names = signal.subject.name.split(", ")
        return any(name in candidate.containers or _touches(facts, candidate, name, about) for name in names)
    if about == STRANGE and candidate.families and not candidate.who:
        return False  # a case that an alert makes alone is of its family
    # What is about the host or the desk has one host and one desk to be about; a strange alert says nothing of a bot.
    return about != STRANGE or not candidate.bots or len(candidate.bots) > 1


def _touches(facts: Facts, candidate: Candidate, bot: str, about: str) -> bool:
    """Say whether a cause touches a bot; where its container is down, the cause must be of that container.

    A log shipper that is down concerns every bot's lines, and stops none of them.
    """
    box = facts.desk.container_of(bot)
    of_box = about != "down" or not candidate.containers or box in candidate.containers
    return bot in candidate.bots and (of_box or candidate.containers == facts.containers)


def _explained_away(candidates: list[Candidate]) -> list[Candidate]:
    """Take from each cause what a believed upstream cause brings about, and say so there."""
    believed = {each.cause: each for each in candidates if each.confidence >= LIKELY and not each.alone}
    consequences: dict[str, list[str]] = {}
    found = []
    for each in candidates:
        ups = [
            believed[name]
            for name in UPSTREAM.get(each.cause, frozenset())
            if name in believed
            and _touch(believed[name], each)
            and all(_in_time(believed[name], alert) for alert in each.explains)
        ]
        for up in ups:
            consequences.setdefault(up.cause, []).extend(
                [each.headline.rstrip(".")] if each.confidence >= LIKELY else []
            )
        # However plain a consequence is to be seen: it is no second cause.
        found.append(replace(each, score=min(each.score + EXPLAINED, CONSEQUENCE)) if ups else each)
    return [replace(each, consequences=tuple(sorted(consequences.get(each.cause, ())))) for each in found]


def _touch(one: Candidate, other: Candidate) -> bool:
    nowhere = not one.bots and not one.containers
    return nowhere or bool({*one.bots, *one.containers} & {*other.bots, *other.containers})


def _chosen(candidates: list[Candidate]) -> tuple[list[Candidate], set[str]]:
    """Choose the causes that stand: each explains an alert that none before it does, or was itself seen."""
    ranked = sorted(candidates, key=lambda each: (-each.score, _onset(each), each.cause))
    standing: set[str] = set()
    covered: set[tuple[str, object]] = set()
    result = []
    for each in ranked:
        mine = {(alert.name, alert.subject) for alert in each.explains}
        if each.confidence < LIKELY or (each.cause in _UNSAID and standing):
            result.append(each)
        elif standing & _UNSAID:  # "nothing is wrong, and likely …" would contradict itself
            result.append(replace(each, score=min(each.score + RIVAL, CONSEQUENCE)))
        elif not standing or mine - covered or (each.direct and each.score > 0):
            standing.add(each.cause)
            covered |= mine
            result.append(each)
        else:
            result.append(replace(each, score=each.score + RIVAL))
    return [each for each in result if each.cause not in _UNSAID or each.cause in standing], standing


def _onset(candidate: Candidate) -> float:
    """Return when the first alert began that a cause explains (Unix time): of two that are sure, the earlier leads."""
    return min((each.starts_at.timestamp() for each in candidate.explains), default=math.inf)


def _place(candidate: Candidate) -> tuple[float, float, float, str]:
    """Return what sorts causes: the surer first; of those that are certain the one whose alerts began first."""
    sure = candidate.confidence
    return (-min(sure, CERTAIN), _onset(candidate), -sure, candidate.cause)


def _said(candidate: Candidate, *, stands: bool) -> Cause:
    confidence = candidate.confidence
    strength = "certain" if confidence >= CERTAIN else "likely" if confidence >= LIKELY else "possible"
    return Cause(
        cause=candidate.cause,
        headline=candidate.headline,
        confidence=min(HIGHEST, confidence),
        because=candidate.because,
        advice=candidate.advice,
        actions=candidate.remedies,
        findings=candidate.findings,
        strength=strength,
        stands=stands,
        subject=candidate.who,
        against=candidate.against,
        explains=tuple(_named(each) for each in candidate.explains),
        follows=candidate.consequences,
        settle=candidate.settle,
        by_hand=candidate.by_hand,
        since=candidate.since,
    )


def _unexplained(signals: Sequence[Episode], standing: Sequence[Candidate]) -> tuple[str, ...]:
    if any(each.cause in _UNSAID for each in standing):
        return ()
    covered = {(each.name, each.subject) for one in standing for each in one.explains}
    return tuple(dict.fromkeys(_named(each) for each in signals if (each.name, each.subject) not in covered))


def _named(signal: Episode) -> str:
    return f"{signal.name} {signal.subject}"


def _unknowns(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return e.g. ``bot state, host: no answer within 4 s``: one reason is said once."""
    names: dict[str, list[str]] = {}
    for each in findings:
        if each.status is FindingStatus.UNKNOWN:
            names.setdefault(each.why or each.headline, []).append(each.name.replace("_", " "))
    return tuple(f"{listed(those, 4)}: {why}" for why, those in names.items())
