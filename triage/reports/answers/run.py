"""``run <bot>``: a triage without an alert, answered to the one who asked."""

from __future__ import annotations

from dataclasses import replace

from triage.actions.attribution import own_acts
from triage.actions.degraded import degraded_since
from triage.actions.remedies import conclude
from triage.diagnosis.runner import run_checks
from triage.diagnosis.strength import strength
from triage.model import Finding, Verdict
from triage.playbooks.lookup import playbook_for
from triage.ports.chat import OF_FINDING, Answer, Line, section
from triage.reports.answers.context import AnswerContext
from triage.wording import counted


async def run(ctx: AnswerContext, bot: str) -> Answer:
    """Run the default playbook about a bot."""
    playbook = playbook_for(ctx.desk, "default")
    acts, since = await ctx.store.read(lambda tx: (own_acts(tx, ctx.desk), degraded_since(tx)))
    context = replace(ctx.context([bot]), acts=acts, degraded_since=since)
    findings = await run_checks(playbook, context, ctx.clock)
    return triaged(bot, findings, conclude(findings, context, (), playbook))


def triaged(subject: str, findings: tuple[Finding, ...], verdict: Verdict) -> Answer:
    """Return findings and verdict as an answer."""
    took = max((finding.seconds for finding in findings), default=0.0)
    top = verdict.top
    causes = [
        Line(f"because {'; '.join(cause.because[:3])}", name=f"{strength(cause)}: {cause.headline}")
        for cause in verdict.causes[:3]
    ]
    advice = [Line(top.advice, name="Next")] if top is not None and top.advice else []
    fits = [Line(f"on {action.target}: {action.why}", name=action.kind) for action in verdict.actions]
    found = [line for finding in findings for line in _finding(finding)]
    parts = (
        section([*causes, *advice], "Causes"),
        section(found, "Findings"),
        section(fits, "What fits"),
    )
    return Answer(
        f"Triage of {subject}",
        tuple(part for part in parts if part.lines),
        note=f"{counted(len(findings), 'check')} in {took:.1f} s; nothing was stored",
        preview=f"Triage of {subject}: {top.headline if top is not None else 'nothing found'}",
    )


def _finding(finding: Finding) -> list[Line]:
    first = Line(finding.headline, name=finding.name.replace("_", " "), mark=OF_FINDING[finding.status])
    return [first, *(Line(f"    {detail}") for detail in finding.details[:4])]
