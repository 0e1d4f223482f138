"""Nothing that was looked at explains it: said as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Candidate
from triage.diagnosis.causes._evidence import look_in_log
from triage.model import FindingStatus
from triage.signals.guard_reasons import REASONS, in_words
from triage.wording import counted, listed

if TYPE_CHECKING:
    from triage.diagnosis.facts import Facts

SURE, HALF = 0.3, 0.15
_NO_RULE = frozenset({"phase0_stub_disabled"})
"""Reasons of a guard that have words and no cause."""


def _settles(facts: Facts, unknown: list[str]) -> str:
    """Return the look that makes up for a source without an answer: at the bot's files, the engine, Redis itself."""
    data = facts.desk.paths.data
    looks = {
        "error logs": f"tail -n 50 {data}/{facts.bots[0]}/logs/errors.log" if facts.bots else "",
        "container": "docker ps -a",
        "changes": "docker ps -a",
        "bot state": f"tail -n 2 {data}/{facts.bots[0]}/logs/epp_v24/*/minute.csv" if facts.bots else "",
        "streams": f"docker exec {facts.desk.container_of('redis')} redis-cli ping",
        "host": "uptime; df -h; free -m",
    }
    return next((look for name, look in looks.items() if name in unknown and look), "")


def _held(facts: Facts) -> tuple[str, list[str]] | None:
    """Return the first bot of the incident that a guard holds whose reason no rule knows, and these reasons."""
    alerted = {each.subject.name for each in facts.episodes}
    for bot in facts.bots:
        strange = [reason for reason in facts.reasons(bot) if reason not in REASONS or reason in _NO_RULE]
        if strange and bot in alerted:
            return bot, strange
    return None


def abstain(facts: Facts) -> Candidate:
    """Say what was found well, and what was not known."""
    findings = facts.findings.values()
    unknown = [each.name.replace("_", " ") for each in findings if each.status is FindingStatus.UNKNOWN]
    bad = [each for each in findings if each.status in {FindingStatus.CRITICAL, FindingStatus.WARNING}]
    because = [f"{each.name.replace('_', ' ')}: {each.headline}" for each in bad[:3]]
    well = len(facts.findings) - len(unknown)
    if not bad and well:
        of_all = f"{well} of " if unknown else ""
        because.append(f"{of_all}{counted(len(facts.findings), 'check')} found nothing wrong")
    if unknown:
        because.append(f"no answer from {', '.join(unknown)}")
    held = _held(facts)
    gone = [
        name
        for name, container in facts.of_containers()
        if container.get("missing") and not facts.service_of(name) and name in facts.subject_containers()
    ]
    later = "; triage again once the missing sources answer" if unknown else ""
    return Candidate(
        cause="no_cause_found",
        headline=f"{held[0]} says that a guard of its own holds it ({in_words(held[1])}), and nothing else tells why."
        if held
        else f"Nothing of the desk is called {gone[0]}, and Docker has no such container."
        if gone
        else f"Nothing that was looked at explains it; not seen: {listed(unknown, 3)}."
        if unknown
        else "Nothing that was looked at explains it.",
        score=0.0,
        ceiling=HALF if unknown else SURE,
        direct=False,
        because=tuple(because),
        findings=tuple(each.name for each in bad[:3]),
        advice=f"Look at the dashboard and the log around the start{later}.",
        settle=look_in_log(facts, held[0], held[1][0])
        if held
        else f"docker ps -a --filter name={gone[0]}"
        if gone
        else _settles(facts, unknown),
        by_hand="look at the dashboard and the log around the start",
    )
