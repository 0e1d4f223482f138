"""The whole report of a triage, in a modal: every check with its details, every cause with its evidence."""

from __future__ import annotations

from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.kit import leaf, untrusted
from bot.slack.blocks.symbols import FINDING, check_name
from bot.slack.blocks.times import seconds_between, when
from bot.slack.blocks.verdict import cause_words, copyable
from triage.actions.catalogue import action_title
from triage.model import Cause, Finding, FindingStatus, Incident, Json, TriageRun, Verdict
from triage.untrusted_text import one_line, shown
from triage.wording import counted

SAID, DETAIL, DETAILS, BLOCKS, PART = 400, 240, 12, 90, 2800
_ORDER = [FindingStatus.CRITICAL, FindingStatus.WARNING, FindingStatus.UNKNOWN, FindingStatus.OK]

Line = list[Json]


def report_view(incident: Incident, run: TriageRun | None, now: datetime) -> Json:
    """Return the modal; ``run`` is the newest finished one, None before there is one."""
    if run is None:
        blocks: list[Json | None] = [kit.rich(leaf("The first triage has not ended yet."))]
    else:
        findings = sorted(run.findings, key=lambda finding: _ORDER.index(finding.status))
        blocks = [
            kit.header(one_line(incident.title, kit.HEADER)),
            kit.small(_head(run, now)),
            *(kit.paragraph(kit.fitting(_cause(cause), PART)) for cause in run.verdict.causes),
            kit.paragraph(_rest(run.verdict)),
            *(kit.paragraph(kit.fitting(_finding(finding), PART)) for finding in findings),
        ]
    return {
        "type": "modal",
        "callback_id": "triage_report",
        "title": {"type": "plain_text", "text": one_line(f"Triage {incident.number}", 24), "emoji": False},
        "close": {"type": "plain_text", "text": "Close", "emoji": False},
        "blocks": list(kit.present(blocks)[:BLOCKS]),
    }


def _head(run: TriageRun, now: datetime) -> str:
    took = seconds_between(run.started_at or run.requested_at, run.finished_at or now)
    slow = max(run.findings, key=lambda finding: finding.seconds, default=None)
    parts = [
        f"{when(run.finished_at or run.requested_at, now)}: {counted(len(run.findings), 'check')} in {took:.1f} s",
        f"playbook {one_line(run.playbook, 60) or 'default'}",
        one_line(run.reason, 120),
    ]
    if slow is not None and slow.seconds >= 1:
        parts.append(f"slowest: {check_name(slow.name)} {slow.seconds:.1f} s")
    return " · ".join(filter(None, parts))


def _cause(cause: Cause) -> list[Line]:
    lines: list[Line] = [[untrusted(cause_words(cause), SAID, bold=True)]]
    lines += [[leaf("   + "), untrusted(reason, SAID)] for reason in cause.because]
    lines += [[leaf("   − "), untrusted(reason, SAID)] for reason in cause.against]  # noqa: RUF001 - a minus
    for word, texts in (("explains", cause.explains), ("so", cause.follows)):
        if texts:
            lines.append([leaf(f"   {word}: "), untrusted(", ".join(texts), SAID)])
    for word, text in (("would settle it", cause.settle), ("by hand", cause.by_hand), ("next", cause.advice)):
        if text:
            lines.append([leaf(f"   {word}: "), *copyable(text)])
    return lines


def _rest(verdict: Verdict) -> list[Line]:
    """Return what no cause explains, and which remedies are not offered and why."""
    lines: list[Line] = []
    if verdict.unexplained:
        lines.append([leaf("Not explained: ", bold=True), untrusted(", ".join(verdict.unexplained), SAID)])
    return lines + [
        [leaf(f"Not offered: {action_title(one.kind, one.target)}: ", bold=True), untrusted(one.why, SAID)]
        for one in verdict.withheld
    ]


def _finding(finding: Finding) -> list[Line]:
    said = finding.headline or finding.why or "no word"
    why = f" ({finding.why})" if finding.why and finding.why not in said else ""
    name = leaf(f"{FINDING[finding.status]} {check_name(finding.name)} ", bold=True)
    lines: list[Line] = [[name, leaf(f"{finding.status} · "), untrusted(said + why, SAID)]]
    lines += [[leaf("      " + shown(one, DETAIL).replace("\n", " "))] for one in finding.details[:DETAILS]]
    if len(finding.details) > DETAILS:
        lines.append([leaf(f"      and {len(finding.details) - DETAILS} more")])
    return lines
