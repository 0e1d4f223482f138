"""What happened before: audit events, dead letters and container events of the minutes before the trouble, in order.

``data``: ``{"events": [{"at" (ISO), "source", "subject", "category", "gravity", "text"}], "counts":
{category: count}, "errors", "warnings", "rejected", "applied", "kill_switch": bool}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from triage.concurrency import attempt
from triage.desk_events import DeskEvent, Gravity, PayloadEntry
from triage.diagnosis.checks.base import CheckContext
from triage.errors import SourceError
from triage.model import Finding, FindingStatus, SubjectKind
from triage.signals.audit import read_audit
from triage.wording import counted, duration, times

NAME = "audit_trail"
_DONE = {
    "die": "died",
    "start": "started",
    "stop": "stopped",
    "kill": "killed",
    "create": "created",
    "destroy": "removed",
}
"""What a container did, as Docker names the event and as people do."""
TITLE = "Audit trail"
SOURCE = "Redis"

_SHOWN = 8
_KEPT = 100
_REJECTED, _APPLIED, _KILL = "intent_rejected", "intent_applied", "kill_switch"


async def run(ctx: CheckContext) -> Finding:
    """Tell what the desk said; without a memory of ours the stream itself is asked."""
    events = ctx.events if ctx.events is not None else await _from_stream(ctx)
    finding = _finding(ctx, events)
    if events:
        return finding
    # Silence counts only where one could have spoken.
    there = await attempt(ctx.sources.streams.info(ctx.desk.streams.audit))
    if isinstance(there, SourceError):
        why = f"whether it could is not known: {there.why}"
        return replace(finding, status=FindingStatus.UNKNOWN, why=why)
    return finding


async def _from_stream(ctx: CheckContext) -> tuple[DeskEvent, ...]:
    stream = ctx.desk.streams.audit
    since = min(ctx.since, ctx.now) - timedelta(minutes=ctx.desk.listening.before_minutes)
    found = []
    for entry in await ctx.sources.streams.between(stream, start=since, end=ctx.now):
        event = read_audit(ctx.desk, stream, PayloadEntry(entry.id, entry.fields.get("payload")), ctx.now)
        about = isinstance(event, DeskEvent) and (
            event.subject.kind is not SubjectKind.BOT or event.subject.name in ctx.bots
        )
        if isinstance(event, DeskEvent) and about:
            found.append(event)
    return tuple(found)


def _finding(ctx: CheckContext, events: Sequence[DeskEvent]) -> Finding:
    counts = Counter(event.category for event in events)
    errors = [event for event in events if event.gravity is Gravity.ERROR or event.category == _KILL]
    warnings = [event for event in events if event.gravity is Gravity.WARNING and event.category != _KILL]
    span = duration(
        (ctx.now - min(ctx.since, ctx.now)).total_seconds() + ctx.desk.listening.before_minutes * 60
    )
    shown = _shown_of(events)
    return Finding(
        name=NAME,
        status=_status(counts, errors, warnings),
        headline=_headline(counts, len(errors), len(warnings), span),
        source=SOURCE,
        details=tuple(_line(event) for event in shown),
        data={
            "events": [
                {
                    "at": event.at.isoformat(),
                    "source": event.source.value,
                    "subject": event.subject.name,
                    "category": event.category,
                    "gravity": event.gravity.value,
                    "text": event.text,
                }
                for event in events[-_KEPT:]
            ],
            "counts": dict(counts),
            "errors": len(errors),
            "warnings": len(warnings),
            "rejected": counts[_REJECTED],
            "applied": counts[_APPLIED],
            "kill_switch": bool(counts[_KILL]),
        },
    )


def _status(
    counts: Counter[str], errors: Sequence[DeskEvent], warnings: Sequence[DeskEvent]
) -> FindingStatus:
    if counts[_KILL]:
        return FindingStatus.CRITICAL
    return FindingStatus.WARNING if errors or warnings else FindingStatus.OK


def _headline(counts: Counter[str], errors: int, warnings: int, span: str) -> str:
    if not counts:
        return f"nothing said in {span}"
    parts = ["kill switch pulled"] if counts[_KILL] else []
    parts += [counted(errors, "error")] if errors else []
    parts += [counted(warnings, "warning")] if warnings else []
    parts += [
        f"{_DONE.get(name, name.replace('_', ' '))} {times(count)}" for name, count in counts.most_common(3)
    ]
    return f"{' · '.join(parts)} (in {span})"


def _shown_of(events: Sequence[DeskEvent]) -> list[DeskEvent]:
    """The last ones, the grave ones before the others, in the order in which they happened."""
    ranked = sorted(enumerate(events), key=lambda pair: (pair[1].gravity is Gravity.INFO, -pair[0]))
    return [event for _, event in sorted(ranked[:_SHOWN], key=lambda pair: pair[0])]


def _line(event: DeskEvent) -> str:
    sign = {Gravity.ERROR: "error", Gravity.WARNING: "warning", Gravity.INFO: "info"}[event.gravity]
    cause = f" ← {event.correlation_id[:8]}" if event.correlation_id else ""
    return f"{event.at:%H:%M:%S} {event.subject.name} {event.category} ({sign}): {event.text[:160]}{cause}"
