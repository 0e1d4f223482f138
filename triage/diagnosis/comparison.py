"""What a later triage found that the one before did not, in few words; pure."""

from __future__ import annotations

from triage.model import Finding, FindingStatus, TriageRun

_GROWS, _LEAST = 1.5, 3
"""A count is told again when it is this many times what it was, or as many times less, and differs by so many."""


def changes(before: TriageRun, after: TriageRun) -> tuple[str, ...]:
    """Return ``bot state: hard_stop for 4 min``, ``error logs 14 → 61``; empty where nothing of weight changed."""
    earlier = {finding.name: finding for finding in before.findings}
    words = [] if _cause(before) == _cause(after) else [f"cause: {_headline(after)}"]
    for finding in after.findings:
        was = earlier.get(finding.name)
        name = finding.name.replace("_", " ")
        if was is None:
            continue
        if was.status is not finding.status:
            words.append(_became(name, finding))
        elif _more(_count(was), _count(finding)):
            words.append(f"{name} {_count(was)} → {_count(finding)}")
    return tuple(words)


def _became(name: str, finding: Finding) -> str:
    """Return what a check finds now, in its own words: a status alone tells nobody what happened."""
    if finding.status is FindingStatus.OK:
        return f"{name} ok now"
    if finding.status is FindingStatus.UNKNOWN:
        return f"{name} not known now{f': {finding.why}' if finding.why else ''}"
    return f"{name}: {finding.headline or finding.why or finding.status}"


def _cause(run: TriageRun) -> str:
    return run.verdict.top.cause if run.verdict.top is not None else ""


def _headline(run: TriageRun) -> str:
    return run.verdict.top.headline if run.verdict.top is not None else "none found"


def _count(finding: Finding) -> int | None:
    """Return the errors that a check counted over all its bots; None for a check that counts nothing."""
    bots = finding.data.get("bots")
    if not isinstance(bots, dict):
        return None
    counts = [one.get("count") for one in bots.values() if isinstance(one, dict)]
    known = [int(count) for count in counts if isinstance(count, int | float)]
    return sum(known) if known else None


def _more(was: int | None, now: int | None) -> bool:
    if was is None or now is None or was == now:
        return False
    low, high = sorted((was, now))
    return high >= _GROWS * max(low, 1) and high - low >= _LEAST
