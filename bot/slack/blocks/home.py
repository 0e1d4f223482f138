"""The Home tab: the desk in a word, the bots, the open incidents with the buttons of their cards."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.answer import section_blocks
from bot.slack.blocks.buttons import acknowledge_button, offer_rows, remedy_button, second_buttons
from bot.slack.blocks.symbols import SEVERITY
from bot.slack.blocks.verdict import cause_lines, do_lines
from triage.actions.catalogue import action_title
from triage.model import IncidentStatus, Json
from triage.reports.answers.home import Home
from triage.reports.incident_view import IncidentView
from triage.wording import counted

BLOCKS = 95
SECTION = 4000
CAUSES = 2
"""Lines of the cause, or causes, of an incident."""


def home_view(home: Home) -> Json:
    """Return the whole view; block ids are the incident's, so that a button's row is its own."""
    word = f": {home.word}" if home.word else ""
    blocks = kit.present(
        [
            kit.header(f"{home.desk}{word}"),
            _banner(home.banner),
            section_blocks(home.bots, SECTION)
            if home.bots is not None
            else kit.rich(kit.leaf("Looking at the bots…")),
            section_blocks(home.unknown, SECTION)
            if home.unknown is not None and home.unknown.lines
            else None,
            kit.header(_headline(home)),
            *(block for view in home.incidents for block in _incident(view, home)),
            kit.small(f"and {counted(home.more, 'more open incident')}: /triage incidents")
            if home.more
            else None,
            kit.actions("home", [kit.button("Refresh", "home.refresh", "refresh")]),
            kit.small(f"as of {home.at:%Y-%m-%d %H:%M:%S} UTC · /triage help tells what else I can do"),
        ]
    )
    return {"type": "home", "callback_id": "home", "blocks": list(blocks[:BLOCKS])}


def _banner(text: str) -> Json | None:
    return kit.rich(kit.leaf("🟠 "), kit.untrusted(text, 400, bold=True)) if text else None


def _headline(home: Home) -> str:
    count = len(home.incidents) + home.more
    return counted(count, "open incident") if count else "No open incidents"


def _incident(view: IncidentView, home: Home) -> list[Json | None]:
    incident = view.incident
    state = f"{incident.status}, quiet" if incident.quiet else str(incident.status)
    lines: list[list[Json]] = [
        [
            kit.leaf(f"{SEVERITY[incident.severity]} {incident.severity} · "),
            kit.untrusted(incident.title, 200, bold=True),
            kit.leaf(f" · {incident.number}"),
        ],
        [kit.leaf(f"{state} · since "), kit.ago(incident.opened_at, home.at)],
        *_waits(view),
        *cause_lines(view)[:CAUSES],
        *do_lines(view)[-1:],
    ]
    offers = [one for one in view.offers if one not in {view.remedy, view.way_out}]
    rows = [_second(view), _buttons(view), *offer_rows(offers)]
    for number, row in enumerate(row for row in rows if row is not None):
        row["block_id"] = f"{incident.number}.{number}"
    return [kit.paragraph(lines), *rows]


def _waits(view: IncidentView) -> list[list[Json]]:
    """Say which action waits for its second person: the first, whose buttons stand below."""
    one = view.waiting[0] if view.waiting else None
    words = f"🟡 {action_title(one.kind, one.target)} waits for a second person" if one is not None else ""
    return [[kit.leaf(words, bold=True)]] if words else []


def _second(view: IncidentView) -> Json | None:
    """Return the buttons of the first action that waits for its second person."""
    return second_buttons(view.waiting[0], 1) if view.waiting else None


def _buttons(view: IncidentView) -> Json | None:
    """Return the card's row with its menu opened: the one thing to do first, Resolve last."""
    incident, remedy, made = view.incident, view.remedy, []
    if remedy is not None:
        made.append(remedy_button(remedy))
    if incident.status is IncidentStatus.TRIGGERED:
        made.append(acknowledge_button(view))
    made.append(kit.button("Silence…", "incident.silence", view.handle))
    made.append(kit.button("Triage again", "incident.retriage", view.handle))
    if not incident.quiet:
        made.append(kit.button("Resolve", "incident.resolve", view.handle))
    return kit.actions("incident", made)
