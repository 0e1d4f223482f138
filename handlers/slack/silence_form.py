"""The silence modal: how long, what it matches, why. Pure: built from what is stored, read from what Slack sends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from handlers.slack.click import Click
from handlers.slack.form import BadForm
from triage.errors import BadInput
from triage.incidents.silences import Matchers, described, parse_duration
from triage.model import Incident, Json
from triage.untrusted_text import one_line, shown

CALLBACK = "incident_silence"
LENGTH, CUSTOM, COMMENT = "length", "custom", "comment"
OTHER = "other"
CHOICES = (
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
    ("1d", "1 day"),
    (OTHER, "Other…"),
)
MATCHERS_SHOWN, MATCHERS_LENGTH, COMMENT_LENGTH = 10, 500, 500


@dataclass(frozen=True, slots=True)
class SilenceForm:
    """A submitted form: whose it is, what it asks for, and a digest of the matchers the person saw."""

    click: Click
    shown: str
    length: timedelta
    comment: str


def digest(silences: Sequence[Matchers]) -> str:
    """Return what tells one set of matchers from another: only what was shown may be silenced."""
    text = json.dumps([[str(matcher) for matcher in matchers] for matchers in silences])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def silence_view(
    incident: Incident,
    silences: Sequence[Matchers],
    click: Click,
    others: Sequence[str] = (),
    note: str = "",
) -> Json:
    """Return the modal; ``others``: what else that fires would be hidden; ``note``: why that may not be all.

    ``private_metadata`` holds the handle and where to answer, and no secret.
    """
    options = [_option(value, label) for value, label in CHOICES]
    length = {"type": "static_select", "action_id": LENGTH, "options": options, "initial_option": options[1]}
    custom = {
        "type": "plain_text_input",
        "action_id": CUSTOM,
        "placeholder": _plain("90m, 2h, 1d 12h"),
        "max_length": 40,
    }
    comment = {
        "type": "plain_text_input",
        "action_id": COMMENT,
        "multiline": True,
        "max_length": COMMENT_LENGTH,
        "placeholder": _plain("Why it may be silent, for whoever looks next"),
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps({"click": _kept(click), "shown": digest(silences)}),
        "title": _plain(one_line(f"Silence {incident.number}", 24)),
        "submit": _plain("Silence"),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "section", "text": _plain(one_line(incident.title, 300))},
            *_matcher_blocks(silences),
            *_other_blocks(others),
            *([{"type": "context", "elements": [_plain(one_line(note, 300))]}] if note else []),
            _input(LENGTH, "How long", length),
            _input(CUSTOM, "Other length", custom, optional=True),
            _input(COMMENT, "Comment", comment),
        ],
    }


def _matcher_blocks(silences: Sequence[Matchers]) -> list[Json]:
    lines = [one_line(described(matchers), MATCHERS_LENGTH) for matchers in silences]
    kept = lines[:MATCHERS_SHOWN]
    if len(lines) > MATCHERS_SHOWN:
        kept.append(f"and {len(lines) - MATCHERS_SHOWN} more")
    leaf = {"type": "text", "text": "\n".join(kept)}
    return [
        {"type": "context", "elements": [_plain("Alertmanager stays silent for what matches:")]},
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [leaf]}]},
    ]


def _other_blocks(others: Sequence[str]) -> list[Json]:
    if not others:
        return []
    kept = [one_line(line, 120) for line in others[:MATCHERS_SHOWN]]
    more = f"\nand {len(others) - MATCHERS_SHOWN} more" if len(others) > MATCHERS_SHOWN else ""
    text = "This hides other alerts too:\n" + "\n".join(kept) + more
    return [{"type": "section", "text": _plain(text)}]


def read_form(view: Mapping[str, Any], user: Mapping[str, Any]) -> SilenceForm:
    """Read the submitted modal. Raises BadForm with what is wrong by field."""
    values = view.get("state", {}).get("values", {})
    chosen = ((values.get(LENGTH, {}).get(LENGTH) or {}).get("selected_option") or {}).get("value") or OTHER
    custom = (values.get(CUSTOM, {}).get(CUSTOM) or {}).get("value") or ""
    comment = shown((values.get(COMMENT, {}).get(COMMENT) or {}).get("value") or "", COMMENT_LENGTH)
    if not comment:
        raise BadForm({COMMENT: "Please say why: whoever looks next will ask."})
    # What was typed wins: who writes a length and forgets to choose "Other" meant what they wrote.
    text = custom.strip() or ("" if chosen == OTHER else chosen)
    try:
        length = parse_duration(text)
    except BadInput as error:
        raise BadForm(
            {CUSTOM: error.reason if text else "Please write how long, for instance 90m or 2h."}
        ) from error
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
        click, seen = Click(**kept["click"]), str(kept["shown"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadForm({COMMENT: "I do not know this form. Please open it again."}) from error
    # Who submits is what Slack says now, not what the form carried.
    name = str(user.get("username") or user.get("name") or "")
    click = replace(click, user=str(user.get("id", "")), user_name=name)
    return SilenceForm(click=click, shown=seen, length=length, comment=comment)


def _kept(click: Click) -> Json:
    return asdict(replace(click, trigger_id="", user_name=""))


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or "–", "emoji": False}  # noqa: RUF001 - a dash for nothing


def _option(value: str, label: str) -> Json:
    return {"text": _plain(label), "value": value}


def _input(name: str, label: str, element: Json, *, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        **({"optional": True} if optional else {}),
    }
