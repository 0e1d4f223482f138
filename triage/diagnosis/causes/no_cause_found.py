"""Nothing that was looked at explains it: said as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.model import Cause, FindingStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts


_SURE = 0.3


def rule(facts: Facts) -> Iterable[Cause]:
    """Say what was found well, and what was not known."""
    findings = facts.findings.values()
    unknown = [each.name.replace("_", " ") for each in findings if each.status is FindingStatus.UNKNOWN]
    bad = [each for each in findings if each.status in {FindingStatus.CRITICAL, FindingStatus.WARNING}]
    because = [f"{each.name.replace('_', ' ')}: {each.headline}" for each in bad[:3]]
    if not bad and findings:
        because.append(
            f"{len(facts.findings) - len(unknown)} of {len(facts.findings)} checks found nothing wrong"
        )
    if unknown:
        because.append(f"no answer from {', '.join(unknown)}")
    yield Cause(
        cause="no_cause_found",
        headline="No cause found by the checks.",
        confidence=_SURE if not unknown else round(_SURE * 0.5, 2),
        because=tuple(because),
        advice="Look at the dashboard and the log around the start; triage again once the missing sources answer."
        if unknown
        else "Look at the dashboard and the log around the start.",
        findings=tuple(each.name for each in bad[:3]),
    )
