"""``hbot-triage triage ALERT.json``: one triage, printed; nothing is stored and nobody is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bot.settings import Settings
from bot.wiring.sources import open_configured
from handlers.alertmanager_body import Alert, Webhook
from triage.actions.remedies import conclude
from triage.desk import Desk
from triage.diagnosis.runner import run_checks
from triage.diagnosis.strength import strength
from triage.errors import BadInput
from triage.incidents.episodes import episode_of_signal
from triage.incidents.naming import display_name
from triage.model import (
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Signal,
    Verdict,
)
from triage.playbooks.lookup import playbook_for
from triage.ports.clock import SystemClock
from triage.runs.runner import context_of
from triage.untrusted_text import one_line

_SIGNS = {
    FindingStatus.OK: "ok      ",
    FindingStatus.WARNING: "warning ",
    FindingStatus.CRITICAL: "critical",
    FindingStatus.UNKNOWN: "unknown ",
}
WIDE = 240


@dataclass(frozen=True, slots=True)
class Result:
    """What one triage found. ``answered``: at least one check had an answer."""

    incident: Incident
    findings: tuple[Finding, ...]
    verdict: Verdict

    @property
    def answered(self) -> bool:
        """Whether at least one check had an answer."""
        return any(finding.status is not FindingStatus.UNKNOWN for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return it as ``--json`` prints it."""
        return {
            "title": self.incident.title,
            "severity": self.incident.severity.value,
            "findings": [
                {
                    "name": finding.name,
                    "status": finding.status.value,
                    "headline": finding.headline,
                    "source": finding.source,
                    "seconds": round(finding.seconds, 3),
                    "why": finding.why,
                    "details": list(finding.details),
                }
                for finding in self.findings
            ],
            "verdict": {
                "causes": [
                    {
                        "cause": cause.cause,
                        "headline": cause.headline,
                        "confidence": round(cause.confidence, 3),
                        "because": list(cause.because),
                        "strength": cause.strength,
                        "stands": cause.stands,
                        "against": list(cause.against),
                        "explains": list(cause.explains),
                        "follows": list(cause.follows),
                        "settle": cause.settle,
                        "by_hand": cause.by_hand,
                    }
                    for cause in self.verdict.causes
                ],
                "actions": [
                    {"kind": action.kind, "target": action.target, "why": action.why}
                    for action in self.verdict.actions
                ],
                "unknowns": list(self.verdict.unknowns),
                "unexplained": list(self.verdict.unexplained),
                "withheld": [
                    {"kind": each.kind, "target": each.target, "why": each.why}
                    for each in self.verdict.withheld
                ],
            },
        }


def read_alert(desk: Desk, text: str) -> list[Signal]:
    """Read Alertmanager's webhook, or one alert of it. Raises BadInput."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BadInput(f"the file is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadInput("the file must hold a JSON object: Alertmanager's webhook, or one alert of it")
    try:
        alerts = Webhook.model_validate(content).alerts if "alerts" in content else [_one(content)]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise BadInput(first["msg"], ".".join(str(part) for part in first["loc"])) from error
    if not alerts:
        raise BadInput("the webhook holds no alert", "alerts")
    now = SystemClock().now()
    places = [f"alerts.{index}." if "alerts" in content else "" for index in range(len(alerts))]
    return [_signal(desk, alert, place, now) for place, alert in zip(places, alerts, strict=True)]


def _signal(desk: Desk, alert: Alert, place: str, now: datetime) -> Signal:
    try:
        return alert.signal(desk, now)
    except BadInput as error:
        raise BadInput(error.reason, f"{place}{error.path}") from error


def _one(content: dict[str, Any]) -> Alert:
    defaults = {"status": "firing", "fingerprint": "one-off", "startsAt": SystemClock().now().isoformat()}
    return Alert.model_validate({**defaults, **content})


async def triage_once(settings: Settings, signals: Sequence[Signal]) -> Result:
    """Run the playbook of the first alert against the configured sources."""
    first, clock, desk = signals[0], SystemClock(), settings.desk
    playbook = playbook_for(desk, first.name)
    incident = Incident(
        id=0,
        title=playbook.title_for(display_name(first.subject), first.name),
        name=first.name,
        subjects=tuple(dict.fromkeys(signal.subject for signal in signals)),
        severity=first.severity,
        status=IncidentStatus.TRIGGERED,
        opened_at=first.starts_at,
        changed_at=first.starts_at,
    )
    episodes = [episode_of_signal(incident, signal) for signal in signals]
    async with open_configured(settings) as opened:
        context = context_of(desk, opened.sources, incident, episodes, now=clock.now())
        findings = await run_checks(playbook, context, clock)
    return Result(incident, findings, conclude(findings, context, episodes, playbook))


def as_text(result: Result) -> str:
    """Return the summary as an operator reads it in a terminal."""
    lines = [f"{result.incident.severity} · {one_line(result.incident.title, WIDE)}", ""]
    top = result.verdict.top
    if top is None:
        lines.append("No cause found.")
    else:
        lines.append(f"{strength(top):<14}{one_line(top.headline, WIDE)}")
        lines += [f"              because: {one_line(why, WIDE)}" for why in top.because]
        if top.advice:
            lines.append(f"Next          {one_line(top.advice, WIDE)}")
    lines += [
        f"Action        {action.kind} on {action.target}: {action.why}" for action in result.verdict.actions
    ]
    lines += [f"Not known     {one_line(unknown, WIDE)}" for unknown in result.verdict.unknowns]
    lines.append("")
    for finding in result.findings:
        lines.append(
            f"{_SIGNS[finding.status]}  {finding.name:<12} {one_line(finding.headline, WIDE)}  [{finding.seconds:.1f} s]"
        )
        lines += [f"          {'':<12} {one_line(detail, WIDE)}" for detail in finding.details]
    return "\n".join(lines)
