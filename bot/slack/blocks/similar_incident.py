"""A past incident like this one, in one line: when, about what, and what is known of its end."""

from __future__ import annotations

from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.kit import leaf
from triage.incidents.cause_answers import in_words
from triage.incidents.traits import CAUSE, LINE
from triage.model import Json
from triage.reports.similar_incidents import SimilarIncident
from triage.untrusted_text import one_line
from triage.wording import duration

SAID = 84
"""Characters of the line behind the number, at most: with it, three lines of a phone."""


def similar_incident_line(past: SimilarIncident, now: datetime, workspace: str) -> list[Json]:
    """Return the line. ``workspace``: the address of the workspace, for the link to its message."""
    incident = past.incident
    ago = duration(max(0.0, (now - past.over_at).total_seconds()))
    where = "" if past.same_subject else f" {one_line(str(incident.subject), 24)},"
    said = f",{where} {ago} ago, {_shared(past)}: {_end(past)}"
    return [leaf("Before: "), _number(past, workspace), leaf(one_line(said, SAID))]


def _number(past: SimilarIncident, workspace: str) -> Json:
    """Return the incident's number, as a link to its message where that stands somewhere."""
    channel, ts = past.place
    link = f"{workspace.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}" if workspace and ts else ""
    number = past.incident.number
    return {"type": "link", "url": link, "text": number} if kit.safe_url(link) else leaf(number)


def _shared(past: SimilarIncident) -> str:
    if past.shared.startswith(CAUSE):
        answered = past.answer is not None and past.answer.cause == past.shared.removeprefix(CAUSE)
        return "same verdict, confirmed" if answered else "same verdict"
    return "same log line" if past.shared.startswith(LINE) else "same alerts"


def _end(past: SimilarIncident) -> str:
    """Say what ended it, as far as it is known: what was verified, what a person said, or how long it took."""
    if past.remedy:
        return f"recovered after {past.remedy}"
    answer = past.answer
    if answer is not None and answer.text:
        return f"it was {answer.text}"
    if answer is not None and answer.cause and not past.shared.startswith(CAUSE):
        return f"it was {in_words(answer.cause)}"
    return f"over after {duration(past.seconds)}{'' if past.acted else ', nothing run'}"
