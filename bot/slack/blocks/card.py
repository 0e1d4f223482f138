"""The incident message: one a incident, edited as it lives. Five seconds of it shall tell whether to act now.

Its order is the order of the questions: what and how grave; does the desk trade; why; what to do, and the button
for it; what else can be done. All of it stands on a phone's first screen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.buttons import incident_buttons, offer_rows, second_buttons
from bot.slack.blocks.card_facts import facts, firing_words, signal_lines, where
from bot.slack.blocks.kit import leaf, untrusted
from bot.slack.blocks.shortening import shorter
from bot.slack.blocks.symbols import SEVERITY, STATUS
from bot.slack.blocks.times import seconds_between, when
from bot.slack.blocks.verdict import cause_lines, cause_words, do_lines, do_text, evidence
from bot.slack.rendered import Rendered
from triage.actions.catalogue import action_title
from triage.actions.degraded import degraded_words
from triage.model import Incident, IncidentShape, Json
from triage.reports.incident_view import IncidentView, Waiting
from triage.signals.trading import trading_line
from triage.untrusted_text import cut, one_line
from triage.wording import counted, duration

Names = Callable[[str], str]
"""How an actor is shown: ``U0123`` is ``@ana``."""

ACTIONS_TAKEN = 4
TRADING, SIGNALS, FOOTER = 5 * kit.PHONE - len("Trading: "), 2200, 160
"""Characters of the parts; with the links (four of 900) and buttons they stay below Slack's 13,000."""
LINES, LINKS_ROWS = 14, 1
"""Lines of a phone that a card may take, and those of its links; the evidence takes what the rest leaves."""


def incident_card(view: IncidentView, now: datetime, names: Names) -> Rendered:
    """Return the card of an incident as it is now."""
    blocks = _open(view, now, names) if view.incident.is_open else _resolved_blocks(view, now, names)
    return Rendered(text=kit.preview(_preview(view, now, names)), blocks=kit.present(blocks))


def _open(view: IncidentView, now: datetime, names: Names) -> list[Json | None]:
    offers = [one for one in view.offers if one not in {view.remedy, view.way_out}]
    banner = []
    if view.degraded is not None:
        banner = [[leaf(f"⚠ {degraded_words(view.degraded, now)}", bold=True)]]
    footer = shorter(f"{_footer(view, now, names)} · {firing_words(view, now)}", FOOTER)
    headline = _headline(view)
    rest = kit.rows(len(headline), kit.PHONE_HEADER) + kit.height(banner)
    rest += LINKS_ROWS + 2 * len(view.waiting)
    lines, small = _fitted(view, now, footer, LINES - rest)
    taken = rest + kit.height(lines) + kit.rows(len(small), kit.PHONE_SMALL)
    spoken = evidence(view, (LINES - taken) * kit.PHONE_SMALL)
    return [
        kit.header(headline),
        *_waiting(view, now, names),
        kit.paragraph(banner),
        kit.paragraph(lines),
        incident_buttons(view),
        kit.small(spoken) if spoken else None,
        kit.small(small),
        *offer_rows(offers),
        _links(view, now),
    ]


def _fitted(view: IncidentView, now: datetime, footer: str, room: int) -> tuple[list[list[Json]], str]:
    """Return the lines and the footer in so many lines of a phone.

    What gives way first is why the remedy fits, then the footer's end, which the thread says too, then the cause's
    clauses, then the names of bots.
    """
    lines: list[list[Json]] = []
    small = footer
    for why, most, tight, less in (
        (True, 3, False, 0),
        (False, 3, False, 0),
        (False, 2, False, 0),
        (False, 2, True, 0),
        (False, 1, True, 0),
        (False, 1, True, 1),
        (False, 1, True, 2),
    ):
        trading = _trading_lines(view, now, TRADING - less * kit.PHONE)
        lines = [*trading, *cause_lines(view, tight=tight), *do_lines(view, tight=not why)]
        small = shorter(footer, most * kit.PHONE_SMALL)
        if kit.height(lines) + kit.rows(len(small), kit.PHONE_SMALL) <= room:
            break
    return lines, small


def _resolved_blocks(view: IncidentView, now: datetime, names: Names) -> list[Json | None]:
    """Return the form of what is over: it keeps its firing facts, its cause and what was done."""
    return [
        kit.header(_headline(view)),
        kit.paragraph([[leaf(_resolved(view.incident, now, names))]]),
        kit.paragraph(cause_lines(view) if view.run is not None else []),
        kit.paragraph(kit.fitting(signal_lines(view.episodes, now, view.tallies), SIGNALS)),
        kit.small(shorter(_footer(view, now, names), 2 * FOOTER)),
        _links(view, now),
    ]


def _headline(view: IncidentView) -> str:
    """Return ``🔴 Sev-1 · bot1 hard_stop: drawdown limit · INC-42``; the number survives any title."""
    incident = view.incident
    head, tail = f"{_sign(view)} · ", f" · {incident.number}"
    return head + cut(one_line(incident.title, kit.HEADER), kit.HEADER - len(head) - len(tail)) + tail


def _sign(view: IncidentView) -> str:
    incident = view.incident
    if view.held_open:
        return f"🟠 Degraded mode still on · was {incident.severity}"
    if view.left_open:
        return f"🟠 Alerts over · was {incident.severity}"
    if not incident.is_open:
        end = incident.resolved_at or incident.changed_at
        lasted = duration(seconds_between(incident.opened_at, end))
        return f"✅ Resolved {end:%H:%M} ({lasted})"
    if incident.quiet:
        return f"🔕 {incident.severity}, closed by hand, still firing"
    storm = "🌩 " if incident.shape is IncidentShape.STORM else ""
    status = STATUS[incident.status]
    return f"{storm}{SEVERITY[incident.severity]} {incident.severity}{f', {status}' if status else ''}"


def _waiting(view: IncidentView, now: datetime, names: Names) -> list[Json | None]:
    """Return what waits for a second person, with that person's button, on top of everything."""
    found: list[Json | None] = []
    for number, one in enumerate(view.waiting[:2], start=1):
        found.append(kit.paragraph([[leaf(waiting_words(one, now, names), bold=True)]]))
        found.append(second_buttons(one, number))
    return found


def waiting_words(one: Waiting, now: datetime, names: Names) -> str:
    """Return ``🟡 Rollback on bot1 waits for a second person: @ana confirmed 03:14 UTC, open until 03:29 UTC``."""
    by = f"{names(one.by)} confirmed {when(one.at, now)}, open until {when(one.until, now)}"
    return f"🟡 {action_title(one.kind, one.target)} waits for a second person: {by}"


def _trading_lines(view: IncidentView, now: datetime, room: int) -> list[list[Json]]:
    return [[leaf("Trading: ", bold=True), untrusted(trading_words(view, now, room), kit.LEAF)]]


def trading_words(view: IncidentView, now: datetime, room: int = TRADING) -> str:
    """Return how the bots stand, about the incident's own bots where it names some."""
    return trading_line(view.trading, view.incident.bots, view.daily_loss, now, room)


def _resolved(incident: Incident, now: datetime, names: Names) -> str:
    end = incident.resolved_at or incident.changed_at
    by = f" · resolved by {names(incident.resolved_by)}" if incident.resolved_by else ""
    return f"was {incident.severity} from {when(incident.opened_at, now)} to {when(end, now)}{by}"


def _links(view: IncidentView, now: datetime) -> Json | None:
    """Return how long ago it began, as the client reckons it, and where to look further."""
    links = view.links
    begun = kit.ago_link(view.incident.opened_at, now) if view.incident.is_open else ""
    pairs = [
        ("Grafana", links.grafana),
        ("Logs", links.logs),
        *([] if links.grafana else [("Prometheus", links.prometheus)]),
        ("Alertmanager", links.alertmanager),
    ]
    return kit.links(pairs, first=begun)


def _footer(view: IncidentView, now: datetime, names: Names) -> str:
    incident = view.incident
    parts = [f"since {when(incident.opened_at, now)}", _acknowledged(incident, names)]
    if incident.is_open and incident.acknowledged_at is not None:
        parts.reverse()  # the end gives way first, and who has it matters more
    if not incident.is_open:
        parts[0] = where(view)
        taken = [one_line(line, 120) for line in view.actions_taken[:ACTIONS_TAKEN]]
        rest = len(view.actions_taken) - ACTIONS_TAKEN
        parts.append(f"actions: {', '.join(taken) or 'none'}" + (f" and {rest} more" if rest > 0 else ""))
    if incident.mitigated_at is not None and incident.is_open:
        parts.append(f"mitigated {when(incident.mitigated_at, now)}")
    if incident.reopened:
        parts.append(f"reopened {counted(incident.reopened, 'time')}: it comes and goes")
    if view.silenced_until is not None and view.silenced_until > now and incident.is_open:
        parts.append(f"silenced until {when(view.silenced_until, now)}")
    if view.running and view.run is not None and incident.is_open:
        parts.append("a new triage is running")
    return " · ".join(filter(None, parts)) or incident.number


def _acknowledged(incident: Incident, names: Names) -> str:
    if incident.acknowledged_at is None and incident.mitigated_at is not None and incident.is_open:
        return ""  # somebody acted on it
    if incident.acknowledged_at is None:
        return "nobody has acknowledged" if incident.is_open else "acknowledged by nobody"
    after = duration(seconds_between(incident.opened_at, incident.acknowledged_at))
    return f"acknowledged by {names(incident.acknowledged_by) or 'somebody'} after {after}"


def _preview(view: IncidentView, now: datetime, names: Names) -> str:
    """Return what a phone shows before it is unlocked: what and how grave, whether the desk trades, what to do."""
    incident = view.incident
    title = one_line(incident.title, kit.HEADER)
    if not incident.is_open:
        end = incident.resolved_at or incident.changed_at
        lasted = duration(seconds_between(incident.opened_at, end))
        over = f"resolved {when(end, now)} after {lasted} · {_resolved(incident, now, names)}"
        return f"✅ {incident.number} {over} · {title}"
    parts = [f"{_sign(view)} · {title} · {incident.number}", f"Trading: {trading_words(view, now)}"]
    if text := do_text(view):
        parts.append(f"Do: {text}")
    elif view.run is None:
        parts.append(facts(view))
    if view.waiting:
        parts.insert(1, waiting_words(view.waiting[0], now, names))
    if view.as_in:
        parts.insert(1, f"same cause as {view.as_in}")
    return " · ".join(parts)


__all__ = ["Names", "cause_words", "incident_card"]
