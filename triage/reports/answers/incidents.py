"""``incidents`` and ``show``: what is open, what was, and one incident's whole story."""

from __future__ import annotations

from datetime import datetime, timedelta

from triage.diagnosis.strength import strength
from triage.errors import no_incident
from triage.memory.people import name_of
from triage.model import Incident, Severity, TimelineEntry, TriageRun
from triage.ports.chat import OF_FINDING, Answer, Line, Mark, Section, section
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.incident_view import IncidentView
from triage.reports.postmortem.gather import StoryEvent
from triage.reports.postmortem.story import StoryLine, story
from triage.wording import counted, duration

MARKS = {Severity.SEV1: Mark.BAD, Severity.SEV2: Mark.WARN, Severity.SEV3: Mark.UNKNOWN}
LATELY = timedelta(hours=24)
STORY = 40


async def incidents(ctx: AnswerContext) -> Answer:
    """List what is open, the most urgent first, and what was resolved in the last 24 hours."""
    now = ctx.clock.now()
    found = await ctx.store.read(lambda tx: tx.incidents.recent(now - LATELY, 500))
    still = sorted((one for one in found if one.is_open), key=lambda one: (one.severity.rank, -one.id))
    over = [one for one in reversed(found) if not one.is_open]
    title = f"{counted(len(still), 'open incident')}" if still else "No open incidents"
    return Answer(
        title,
        tuple(
            part
            for part in (
                section(_open_line(one, now) for one in still[:30]),
                section((_over_line(one) for one in over[:10]), "Resolved in the last 24 h"),
            )
            if part.lines
        ),
        note=f"/triage show {(*still, *over)[0].number} tells its story" if found else "",
    )


def _open_line(incident: Incident, now: datetime) -> Line:
    since = duration((now - incident.opened_at).total_seconds())
    quiet = ", quiet" if incident.quiet else ""
    text = f"{incident.severity} · {incident.title} · {incident.status}{quiet} · {since}"
    return Line(text, name=incident.number, mark=MARKS[incident.severity])


def _over_line(incident: Incident) -> Line:
    end = incident.resolved_at or incident.changed_at
    took = duration((end - incident.opened_at).total_seconds())
    return Line(
        f"{incident.title} · resolved {end:%H:%M} UTC after {took}", name=incident.number, mark=Mark.GOOD
    )


async def show(ctx: AnswerContext, incident_id: int) -> Answer:
    """Tell one incident: how it is, what triage found, and what happened when."""
    now = ctx.clock.now()
    return await ctx.store.read(lambda tx: _story(ctx, tx, incident_id, now))


def _story(ctx: AnswerContext, tx: Tx, incident_id: int, now: datetime) -> Answer:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise no_incident(incident_id)
    view = ctx.view(tx, incident)
    last_seen = tx.signals.last_seen(incident.id)
    told = story([_happened(tx, entry) for entry in tx.timeline.of(incident.id)])
    parts = [
        section([*_state(view, now, last_seen), *_alerts(view)]),
        *_triage(view.run),
        section(map(_story_line, told[-STORY:]), "What happened (UTC)"),
    ]
    left_out = len(told) - STORY
    return Answer(
        f"{incident.number} · {incident.title}",
        tuple(part for part in parts if part.lines),
        note=f"and {counted(left_out, 'earlier line')}" if left_out > 0 else "",
        preview=f"{incident.number} · {incident.title} · {incident.status}",
    )


def _state(view: IncidentView, now: datetime, last_seen: datetime | None) -> list[Line]:
    incident = view.incident
    end = incident.resolved_at or now
    took = duration((end - incident.opened_at).total_seconds())
    state = f"{incident.status}, quiet until its alerts resolve" if incident.quiet else str(incident.status)
    lines = [
        Line(
            f"{incident.severity} · {state} · {took} since {incident.opened_at:%Y-%m-%d %H:%M} UTC",
            mark=MARKS[incident.severity],
        )
    ]
    if incident.reopened:
        lines.append(Line(f"reopened {counted(incident.reopened, 'time')}"))
    if last_seen is not None:
        lines.append(Line(f"last seen {duration((now - last_seen).total_seconds())} ago"))
    return lines


def _alerts(view: IncidentView) -> list[Line]:
    shown = [
        Line(
            f"on {episode.subject} · {'fires' if episode.firing else 'resolved' if not episode.is_event else 'happened'}",
            name=episode.name,
        )
        for episode in view.episodes[:10]
    ]
    more = len(view.episodes) - len(shown)
    return [*shown, Line(f"and {more} more")] if more > 0 else shown


def _triage(run: TriageRun | None) -> list[Section]:
    if run is None:
        return []
    causes = [
        Line(f"because {'; '.join(cause.because[:3])}", name=f"{strength(cause)}: {cause.headline}")
        for cause in run.verdict.causes[:3]
    ]
    findings = [
        Line(finding.headline, name=finding.name.replace("_", " "), mark=OF_FINDING[finding.status])
        for finding in run.findings
    ]
    return [section(causes, "Causes"), section(findings, "Findings")]


def _happened(tx: Tx, entry: TimelineEntry) -> StoryEvent:
    who = name_of(tx, entry.actor) if entry.actor else ""
    return StoryEvent(at=entry.at, who=who, source=entry.source, what=entry.text)


def _story_line(line: StoryLine) -> Line:
    """Return a line of the story: what repeats is told once, and whoever did something stands first."""
    said = f"{line.who} {line.what}" if line.person else line.what + (f" [{line.who}]" if line.who else "")
    return Line(said, code=f"{line.at:%H:%M:%S}")
