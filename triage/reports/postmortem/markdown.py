"""A postmortem as Markdown: timeline, root cause, impact, corrective action, prevention tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from triage.actions.catalogue import action_title
from triage.diagnosis.strength import strength
from triage.model import Cause, Episode
from triage.reports.postmortem.gather import ActionTaken, Postmortem, facts
from triage.reports.postmortem.story import StoryLine, story
from triage.untrusted_text import one_line
from triage.wording import duration

CELL = 400
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")
TO_FILL = "_To be completed by the people who were there._"


def md(text: str, limit: int = CELL) -> str:
    """Return untrusted text on one line, with every sign of Markdown disarmed."""
    return _MARKUP.sub(r"\\\1", one_line(text, limit))


def as_markdown(post: Postmortem) -> str:
    """Return the whole postmortem."""
    incident = post.incident
    parts = [
        f"# Postmortem {incident.number}: {md(incident.title)}",
        _table(("", ""), [(name, md(value)) for name, value in facts(post).items()]),
        *_chart(post),
        "## Timeline",
        _timeline(post),
        "## Root cause",
        *_root_cause(post),
        "## Impact",
        *_impact(post),
        "## Corrective action",
        *_corrective(post.actions),
        "## Prevention tasks",
        _tasks(post),
        "## Evidence",
        *_evidence(post),
        "## Audit trail",
        _audit(post),
        f"_Written by hbot-triage on {post.written_at:%Y-%m-%d %H:%M} UTC from what was stored while it happened._",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _chart(post: Postmortem) -> list[str]:
    """Return the chart's picture, what it shows in words, and what is not in it."""
    if post.chart is None:
        return []
    picture = (
        f"![{md(post.chart.alt, 1000)}]({post.chart.file})" if post.chart.file else "It could not be drawn."
    )
    missing = "\n".join(f"- not in it: {md(note)}" for note in post.chart.missing)
    words = md(post.chart.alt, 1000) if post.chart.alt else ""
    return ["## Chart", picture, words, missing]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _timeline(post: Postmortem) -> str:
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", *_said(one)) for one in story(post.timeline)]
    return _table(("UTC", "who", "what"), rows) if rows else "Nothing was stored."


def _said(one: StoryLine) -> tuple[str, str]:
    """Return who and what; what people did stands out."""
    who, what = md(one.who), md(one.what)
    return (f"**{who}**", f"**{what}**") if one.person else (who, what)


def _root_cause(post: Postmortem) -> list[str]:
    causes = post.verdict.causes[:3]
    if not causes:
        return ["Triage found no cause.", TO_FILL]
    lines = [
        f"{number}. {strength(cause)}: {': '.join(filter(None, [md(cause.headline.rstrip('.')), _because(cause)]))}"
        for number, cause in enumerate(causes, start=1)
    ]
    return ["Ranked by triage, to be confirmed:", "\n".join(lines), TO_FILL]


def _because(cause: Cause) -> str:
    return md("; ".join(cause.because), 1000) if cause.because else ""


def _impact(post: Postmortem) -> list[str]:
    rows = [
        (
            md(one.name),
            md(str(one.subject)),
            f"{one.starts_at:%H:%M:%S}",
            _ended(one, post),
            md(_summary(one)),
        )
        for one in post.episodes
    ]
    table = _table(("signal", "on", "from", "for", "said"), rows) if rows else ""
    return [table, f"Orders, fills and money: {TO_FILL}"]


def _ended(one: Episode, post: Postmortem) -> str:
    if one.is_event:
        return "an event"
    end = one.ends_at if one.ends_at is not None and not one.firing else None
    lasted = duration(((end or post.written_at) - one.starts_at).total_seconds())
    return lasted if end is not None else f"{lasted}, still firing"


def _summary(one: Episode) -> str:
    return one.annotations.get("summary") or one.annotations.get("description") or ""


def _corrective(actions: Sequence[ActionTaken]) -> list[str]:
    if not actions:
        return ["No action was run through the bot.", TO_FILL]
    return [_action(action) for action in actions]


def _action(action: ActionTaken) -> str:
    head = f"- **{md(action_title(action.kind, action.target))}**: {md(action.status)}"
    by = f", confirmed by {md(' and '.join(action.by))}" if action.by else ""
    when = f" at {action.started_at:%H:%M:%S} UTC" if action.started_at is not None else ""
    lines = [f"{head}{by}{when}"]
    lines += [f"  - reason: {md(reason)}" for reason in action.reasons]
    lines += [f"  - step {number}: {md(step)}" for number, step in enumerate(action.steps, start=1)]
    if action.outcome:
        lines.append(f"  - outcome: {md(action.outcome)}")
    lines.append(f"  - verified: {md(action.verification) or 'not yet'}")
    return "\n".join(lines)


def _tasks(post: Postmortem) -> str:
    tasks = [f"- [ ] {md(task)} (owner: , due: )" for task in post.prevention]
    return "\n".join([*tasks, "- [ ] (what people add; owner: , due: )"])


def _evidence(post: Postmortem) -> list[str]:
    if post.run is None:
        return ["No triage came to its end."]
    rows = [
        (
            md(finding.name.replace("_", " ")),
            finding.status.value,
            md("; ".join((finding.headline, *finding.details[:5])), 800),
            md(finding.source),
        )
        for finding in post.run.findings
    ]
    at = f"{post.run.finished_at:%Y-%m-%d %H:%M:%S}" if post.run.finished_at is not None else "?"
    return [f"The last triage, at {at} UTC:", _table(("check", "status", "found", "source"), rows)]


def _audit(post: Postmortem) -> str:
    if not post.audit:
        return "Nobody did anything through the bot."
    rows = [
        (
            str(entry.seq),
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            md(entry.actor),
            md(entry.event),
            md(entry.target),
            md(", ".join(f"{name}: {value}" for name, value in entry.detail.items())),
            f"`{entry.digest[:12]}`",
        )
        for entry in post.audit
    ]
    return _table(("line", "UTC", "who", "event", "about", "detail", "digest"), rows)
