"""The form that asks what the cause was instead. Pure: built from the question, read from what Slack sends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from handlers.slack.click import Click
from handlers.slack.form import BadForm
from triage.diagnosis.causes import NAMES
from triage.incidents.cause_answers import CHOICES, NOT_KNOWN, SOMETHING_ELSE, TEXT_MAX, in_words
from triage.incidents.feedback import Question
from triage.model import Json
from triage.untrusted_text import one_line

CALLBACK = "incident_cause"
CAUSE, TEXT = "cause", "text"
OPTIONS_MAX = 100
"""What Slack takes in one menu."""
_LABELS = {SOMETHING_ELSE: "Something else (say what)", NOT_KNOWN: "I do not know"}


@dataclass(frozen=True, slots=True)
class CauseForm:
    """A submitted form: whose it is (``click.handle`` is the question's key), the choice, and the text."""

    click: Click
    cause: str
    text: str


def cause_view(question: Question, click: Click) -> Json:
    """Return the form; ``private_metadata`` holds the question's key and where to answer, and no secret."""
    choices = _choices(question)
    select = {
        "type": "static_select",
        "action_id": CAUSE,
        "placeholder": _plain("Choose what it was"),
        "options": [{"text": _plain(_label(name, question)), "value": name} for name in choices],
    }
    text = {
        "type": "plain_text_input",
        "action_id": TEXT,
        "multiline": True,
        "max_length": TEXT_MAX,
        "placeholder": _plain("For whoever meets it again"),
    }
    kept = replace(click, handle=question.key, trigger_id="", user_name="")
    said = question.causes[0].headline if question.causes else "No cause was found."
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps(asdict(kept)),
        "title": _plain(one_line(f"Cause of {question.incident.number}", 24)),
        "submit": _plain("Save"),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "section", "text": _plain(one_line(question.incident.title, 300))},
            {"type": "section", "text": _plain(one_line(f"The verdict said: {said}", 300))},
            _input(CAUSE, "What it was", select),
            _input(TEXT, "In words", text, optional=True),
        ],
    }


def read_form(view: Mapping[str, Any], user: Mapping[str, Any]) -> CauseForm:
    """Read the submitted form. Raises BadForm with what is wrong by field."""
    values = view.get("state", {}).get("values", {})
    chosen = ((values.get(CAUSE, {}).get(CAUSE) or {}).get("selected_option") or {}).get("value") or ""
    text = (values.get(TEXT, {}).get(TEXT) or {}).get("value") or ""
    if chosen not in CHOICES:
        raise BadForm({CAUSE: "Please choose what it was."})
    if chosen == SOMETHING_ELSE and not text.strip():
        raise BadForm({TEXT: "Please write what it was."})
    try:
        click = Click(**json.loads(view.get("private_metadata") or "{}"))
    except (ValueError, TypeError) as error:
        raise BadForm({CAUSE: "I do not know this form. Please open it again."}) from error
    # Who submits is what Slack says now, not what the form carried.
    name = str(user.get("username") or user.get("name") or "")
    return CauseForm(replace(click, user=str(user.get("id", "")), user_name=name), chosen, text)


def _choices(question: Question) -> Sequence[str]:
    """Return what can be chosen: what the verdict weighed first, then every cause by name, then what is none of them."""
    weighed = [each.cause for each in question.run.verdict.causes if each.cause in NAMES]
    names = list(dict.fromkeys((*weighed, *NAMES)))[: OPTIONS_MAX - len(_LABELS)]
    return (*names, *_LABELS)


def _label(name: str, question: Question) -> str:
    if name in _LABELS:
        return _LABELS[name]
    said = any(each.cause == name for each in question.causes)
    return one_line(f"{in_words(name)}{' (the verdict was right)' if said else ''}", 75)


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or "–", "emoji": False}  # noqa: RUF001 - a dash for nothing


def _input(name: str, label: str, element: Json, *, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": element,
        **({"optional": True} if optional else {}),
    }
