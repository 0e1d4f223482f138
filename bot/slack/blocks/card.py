"""The incident message: one a incident, edited as it lives. Woken at three, one knows in five seconds whether to get up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.buttons import incident_buttons, offer_rows
from bot.slack.blocks.kit import ago, foreign, leaf
from bot.slack.blocks.place import signal_lines, summary, where
from bot.slack.blocks.signs import SEVERITY, STATUS
from bot.slack.blocks.verdict import cause_words, verdict_lines
from bot.slack.blocks.when import seconds_between, when
from bot.slack.rendered import Rendered
from triage.incidents.view import IncidentView
from triage.model import Incident, IncidentShape, Json
from triage.untrusted_text import cut, one_line
from triage.wording import counted, duration

Names = Callable[[str], str]
"""How an actor is shown: ``U0123`` is ``@ana``."""

ACTIONS_TAKEN = 4
SIGNALS, VERDICT, FOOTER = 2200, 2600, 600
"""Characters of the parts; with the links (four of 900) and buttons they stay below Slack's 13,000."""


def incident_card(view: IncidentView, now: datetime, names: Names) -> Rendered:
    """Return the card of an incident as it is now."""
    blocks = [
        kit.header(_headline(view.incident)),
        kit.paragraph([[foreign(f"⚠ {view.banner}", 300, bold=True)]]) if view.banner else None,
        kit.paragraph(_fact_lines(view, now, names)),
        kit.paragraph(kit.fitting(verdict_lines(view), VERDICT)),
        kit.paragraph(kit.fitting(signal_lines(view.episodes, now, view.tallies), SIGNALS)),
        incident_buttons(view),
        *offer_rows(view.offers),
        _links(view),
        kit.small(cut(_footer(view, now), FOOTER)),
    ]
    return Rendered(text=kit.preview(_preview(view, now, names)), blocks=kit.present(blocks))


def _headline(incident: Incident) -> str:
    """Return ``🔴 Sev-1 · bot1 hard_stop: drawdown limit · INC-42``; the number survives any title."""
    head, tail = f"{_sign(incident)} · ", f" · {incident.number}"
    return head + cut(one_line(incident.title, kit.HEADER), kit.HEADER - len(head) - len(tail)) + tail


def _sign(incident: Incident) -> str:
    if not incident.is_open:
        return "✅ Resolved"
    if incident.quiet:
        return f"🔕 {incident.severity}, closed by hand, still firing"
    storm = "🌩 " if incident.shape is IncidentShape.STORM else ""
    status = STATUS[incident.status]
    return f"{storm}{SEVERITY[incident.severity]} {incident.severity}{f', {status}' if status else ''}"


def _fact_lines(view: IncidentView, now: datetime, names: Names) -> list[list[Json]]:
    incident = view.incident
    begun = [leaf(f"since {when(incident.opened_at, now)} ("), ago(incident.opened_at, now), leaf(")")]
    if incident.resolved_at is not None and not incident.is_open:
        begun = [leaf(_resolved(incident, now, names))]
    lines = [[*begun, leaf(f" · {where(view)}" if where(view) else "")]]
    if incident.shape is IncidentShape.STORM:
        lines.append([leaf(f"{counted(view.total, 'signal')}, {view.firing} firing now", bold=True)])
    if incident.acknowledged_at is not None:
        after = duration(seconds_between(incident.opened_at, incident.acknowledged_at))
        who = names(incident.acknowledged_by) or "somebody"
        lines.append([leaf(f"acknowledged by {who} {when(incident.acknowledged_at, now)}, after {after}")])
    if incident.mitigated_at is not None and incident.is_open:
        lines.append([leaf(f"mitigated {when(incident.mitigated_at, now)}")])
    if incident.reopened:
        lines.append([leaf(f"reopened {counted(incident.reopened, 'time')}: it comes and goes")])
    if view.silenced_until is not None and view.silenced_until > now and incident.is_open:
        lines.append([leaf(f"silenced until {when(view.silenced_until, now)}")])
    return lines


def _resolved(incident: Incident, now: datetime, names: Names) -> str:
    end = incident.resolved_at or incident.changed_at
    lasted = duration(seconds_between(incident.opened_at, end))
    by = f" by {names(incident.resolved_by)}" if incident.resolved_by else ""
    begun = when(incident.opened_at, now)
    return f"resolved{by} {when(end, now)} after {lasted} · was {incident.severity} since {begun}"


def _links(view: IncidentView) -> Json | None:
    links = view.links
    return kit.links(
        [
            ("Grafana", links.grafana),
            ("Prometheus", links.prometheus),
            ("Logs", links.logs),
            ("Alertmanager", links.alertmanager),
        ]
    )


def _footer(view: IncidentView, now: datetime) -> str:
    incident, run = view.incident, view.run
    parts = []
    if run is not None and run.finished_at is not None:
        took = seconds_between(run.started_at or run.requested_at, run.finished_at)
        parts.append(f"triaged {when(run.finished_at, now)} in {took:.1f} s")
    if incident.acknowledged_at is None:
        parts.append("acknowledged by nobody" + (" yet" if incident.is_open else ""))
    if not incident.is_open:
        taken = [one_line(line, 120) for line in view.actions_taken[:ACTIONS_TAKEN]]
        rest = len(view.actions_taken) - ACTIONS_TAKEN
        parts.append(f"actions: {', '.join(taken) or 'none'}" + (f" and {rest} more" if rest > 0 else ""))
    return " · ".join(parts) or incident.number


def _preview(view: IncidentView, now: datetime, names: Names) -> str:
    incident = view.incident
    title = one_line(incident.title, kit.HEADER)
    if not incident.is_open:
        return f"✅ {incident.number} {_resolved(incident, now, names)} · {title}"
    since = f"since {when(incident.opened_at, now)}"
    top = view.run.verdict.top if view.run else None
    cause = f" · likely cause: {cause_words(top)}" if top else ""
    signals = f" · {summary(incident, view.episodes, view.total)}" if not top else ""
    return f"{_sign(incident)} · {title} · {incident.number} · {since}{signals}{cause}"
