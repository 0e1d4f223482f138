"""The Home tab: the desk in a word, the bots, the open incidents with the buttons of their cards."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.answer import section_blocks
from bot.slack.blocks.buttons import offer_rows
from bot.slack.blocks.signs import SEVERITY
from triage.model import IncidentStatus, Json
from triage.reports.answers.home import Home, OpenIncident
from triage.wording import counted

BLOCKS = 95
SECTION = 4000


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
            *(block for one in home.incidents for block in _incident(one, home)),
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


def _incident(one: OpenIncident, home: Home) -> list[Json | None]:
    incident = one.incident
    state = f"{incident.status}, quiet" if incident.quiet else str(incident.status)
    lines: list[list[Json]] = [
        [
            kit.leaf(f"{SEVERITY[incident.severity]} {incident.severity} · "),
            kit.untrusted(incident.title, 200, bold=True),
            kit.leaf(f" · {incident.number}"),
        ],
        [kit.leaf(f"{state} · since "), kit.ago(incident.opened_at, home.at)],
    ]
    if one.cause:
        lines.append([kit.untrusted(one.cause, 300)])
    rows = [row for row in offer_rows(one.offers) if row is not None]
    for number, row in enumerate(rows):
        row["block_id"] = f"{incident.number}.offers.{number}"
    return [kit.paragraph(lines), _buttons(one), *rows]


def _buttons(one: OpenIncident) -> Json | None:
    incident, made = one.incident, []
    if incident.status is IncidentStatus.TRIGGERED:
        made.append(kit.button("Acknowledge", "incident.acknowledge", one.handle, "primary"))
    made.append(kit.button("Silence…", "incident.silence", one.handle))
    made.append(kit.button("Triage again", "incident.retriage", one.handle))
    if not incident.quiet:
        made.append(kit.button("Resolve", "incident.resolve", one.handle))
    return kit.actions(f"{incident.number}.incident", made)
