"""What the thread says: one line a change, and the summary of each triage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.card import Names
from bot.slack.blocks.kit import foreign, leaf
from bot.slack.blocks.signs import FINDING, check_name
from bot.slack.blocks.verdict import WORDS, because_words, cause_words
from bot.slack.blocks.when import seconds_between, when
from bot.slack.rendered import Rendered
from triage.incidents.notifications import MENTIONS
from triage.model import Finding, FindingStatus, Json, TimelineEntry, TimelineKind, TriageRun
from triage.untrusted_text import one_line, shown
from triage.wording import counted

LINE, LATE_SECONDS, FINDINGS, DETAILS = 400, 90.0, 15, 5
CHECKS, CAUSES = 7500, 4300
_SIGN = {
    TimelineKind.RESOLVED: "✅ ",
    TimelineKind.REOPENED: "🔁 ",
    TimelineKind.WIDENED: "↔ ",
    TimelineKind.SILENCED: "🔕 ",
    TimelineKind.DENIED: "⛔ ",
    TimelineKind.ESCALATED: "📣 ",
    TimelineKind.FALLBACK: "📨 ",
}
_ORDER = [FindingStatus.CRITICAL, FindingStatus.WARNING, FindingStatus.UNKNOWN, FindingStatus.OK]


def timeline_lines(entries: Sequence[TimelineEntry], now: datetime, names: Names) -> Rendered:
    """Return changes, one a line, as one message (several when Slack was slower than the desk)."""
    words = [_words(entry, now, names) for entry in entries]
    block = kit.paragraph(
        [[leaf(line), *_mentions(entry)] for line, entry in zip(words, entries, strict=True)]
    )
    text = words[0] if len(words) == 1 else f"{words[0]} and {counted(len(words) - 1, 'more change')}"
    return Rendered(text=kit.preview(text), blocks=kit.present([block]))


def _mentions(entry: TimelineEntry) -> list[Json]:
    """Return those whom a line wakes; only escalation names any."""
    ids = entry.data.get(MENTIONS) or []
    return [leaf(" ")] + [kit.mention(str(one)) for one in ids] if ids else []


def _words(entry: TimelineEntry, now: datetime, names: Names) -> str:
    who = names(entry.actor)
    text = one_line(entry.text, LINE)
    said = text if not who or who in text else f"{who} {text}"
    learned = seconds_between(entry.at, entry.recorded_at)
    late = f" (learned {when(entry.recorded_at, now)})" if learned > LATE_SECONDS else ""
    return f"{when(entry.at, now)} · {_SIGN.get(entry.kind, '')}{said}{late}"


def triage_summary(run: TriageRun, now: datetime) -> Rendered:
    """Return a triage run: each finding with its word and symbol, then the causes and what is not known."""
    took = seconds_between(run.started_at or run.requested_at, run.finished_at or now)
    head = f"Triage · {counted(len(run.findings), 'check')} in {took:.1f} s"
    # The worst first, as written otherwise: on a phone the first lines are what is read.
    findings = sorted(run.findings, key=lambda finding: _ORDER.index(finding.status))
    lines = [[leaf(head, bold=True)]]
    for finding in findings[:FINDINGS]:
        lines += _finding(finding)
    if len(findings) > FINDINGS:
        lines.append([leaf(f"and {len(findings) - FINDINGS} more checks")])
    blocks = [
        kit.paragraph(kit.fitting(lines, CHECKS)),
        kit.paragraph(kit.fitting(_verdict(run), CAUSES)),
        kit.small(_small(run)),
    ]
    return Rendered(text=kit.preview(f"{head} · {_short(run)}"), blocks=kit.present(blocks))


def _finding(finding: Finding) -> list[list[Json]]:
    head = f"{FINDING[finding.status]} {check_name(one_line(finding.name, 40))} "
    said = finding.headline or finding.why or "no word"
    line = [leaf(head, bold=True), leaf(f"{finding.status} · "), foreign(said, 240)]
    if finding.why and finding.why not in said:
        line.append(foreign(f" ({finding.why})", 160))
    lines = [line]
    for detail in finding.details[:DETAILS]:
        lines.append([leaf("      "), leaf(shown(detail, 170).replace("\n", " "), code=True)])  # noqa: PERF401 - reads as it looks
    if len(finding.details) > DETAILS:
        lines.append([leaf(f"      and {len(finding.details) - DETAILS} more")])
    return lines


def _verdict(run: TriageRun) -> list[list[Json]]:
    lines = []
    for number, cause in enumerate(run.verdict.causes[:3]):
        lines.append([leaf("Likely cause " if number == 0 else "Or ", bold=True), leaf(cause_words(cause))])
        if cause.because:
            lines.append([leaf(because_words(cause, 4))])
        if cause.advice and number == 0:
            lines.append([leaf("Next ", bold=True), foreign(cause.advice, WORDS)])
    if not run.verdict.causes:
        lines.append([leaf("No cause found: ", bold=True), leaf("no check explains it")])
    if run.verdict.unknowns:
        unknowns = [one_line(unknown, 160) for unknown in run.verdict.unknowns[:5]]
        rest = len(run.verdict.unknowns) - len(unknowns)
        lines.append(
            [
                leaf("Not known ", bold=True),
                leaf(" · ".join(unknowns) + (f" and {rest} more" if rest else "")),
            ]
        )
    return lines


def _small(run: TriageRun) -> str:
    slow = [finding for finding in run.findings if finding.seconds >= 1]
    slowest = max(slow, key=lambda finding: finding.seconds, default=None)
    parts = [f"playbook {one_line(run.playbook, 60) or 'default'}"]
    if run.reason:
        parts.append(one_line(run.reason, 120))
    if slowest is not None:
        parts.append(f"slowest: {check_name(one_line(slowest.name, 40))} {slowest.seconds:.1f} s")
    return " · ".join(parts)


def _short(run: TriageRun) -> str:
    if run.verdict.top is not None:
        return cause_words(run.verdict.top)
    counts = {status: sum(finding.status is status for finding in run.findings) for status in _ORDER}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no finding"
