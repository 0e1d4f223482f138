"""Nothing that was looked at explains it: said as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Candidate
from triage.model import FindingStatus

if TYPE_CHECKING:
    from triage.diagnosis.facts import Facts

SURE, HALF = 0.3, 0.15


def abstain(facts: Facts) -> Candidate:
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
    later = "; triage again once the missing sources answer" if unknown else ""
    return Candidate(
        cause="no_cause_found",
        headline="No cause found by the checks.",
        score=0.0,
        ceiling=HALF if unknown else SURE,
        direct=False,
        because=tuple(because),
        findings=tuple(each.name for each in bad[:3]),
        advice=f"Look at the dashboard and the log around the start{later}.",
        by_hand="look at the dashboard and the log around the start",
    )
