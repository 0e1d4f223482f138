"""What people enter: the state of each input, what Slack itself refuses before the app gets it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.slack.blockkit import walk
from demo.slack.errors import NoSuchElementError

if TYPE_CHECKING:
    from demo.slack.model import Json

State = dict[str, dict[str, "Json"]]
"""`state.values` of Slack: block id → action id → what is entered there."""

_KEYS: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "overflow": ("selected_option", ""),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
"""Element type → (the key its entry has in the state, the key its first value has in the element)."""

_OPTIONS = {"static_select", "radio_buttons", "overflow"}
_MANY_OPTIONS = {"multi_static_select", "checkboxes"}


def options_of(element: Json) -> list[Json]:
    """Return every option a menu offers, groups flattened."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def initial_state(blocks: list[Json], before: State | None = None) -> State:
    """Return the state of blocks as first shown; what was entered `before` under the same ids is kept."""
    state: State = {}
    for _, block, element in walk(blocks):
        kind = element["type"]
        if kind not in _KEYS or kind == "overflow":
            continue
        kept = (before or {}).get(block["block_id"], {}).get(element["action_id"])
        key, first = _KEYS[kind]
        empty: object = [] if key.endswith("s") else None
        entry = kept or {"type": kind, key: element.get(first, empty)}
        state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return state


def filled(element: Json, value: object) -> Json:
    """Return the state entry for `value`: an option's value (or several), an id, a date, or text.

    `NoSuchElementError` when a menu does not offer it: a person could not have chosen it.
    """
    kind = element["type"]
    key = _KEYS[kind][0]
    if kind in _OPTIONS:
        return {"type": kind, key: None if value in {None, ""} else _option(element, value)}
    if kind in _MANY_OPTIONS:
        chosen = value if isinstance(value, list | tuple) else [value]
        return {"type": kind, key: [_option(element, each) for each in chosen]}
    if kind == "datetimepicker":
        return {"type": kind, key: None if value in {None, ""} else int(str(value))}
    if key.endswith("s"):
        return {"type": kind, key: list(value) if isinstance(value, list | tuple) else [value]}
    return {"type": kind, key: None if value in {None, ""} else str(value)}


def _option(element: Json, value: object) -> Json:
    for option in options_of(element):
        if option["value"] == str(value):
            return option
    offered = ", ".join(option["value"] for option in options_of(element))
    raise NoSuchElementError(f"{element['action_id']} offers no option {value!r}, only {offered}")


def problem(block: Json, entry: Json) -> str | None:
    """Return what Slack itself says of an input before it sends a form, or None."""
    element = block["element"]
    value = entry.get(_KEYS[element["type"]][0])
    if value in (None, "", []):
        return None if block.get("optional") else "Please complete this required field."
    if element["type"] == "plain_text_input":
        return _length_problem(element, str(value))
    if element["type"] == "number_input":
        return _number_problem(element, str(value))
    if element["type"] == "email_text_input" and re.fullmatch(r"[^@\s]+@[^@\s]+", str(value)) is None:
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and re.fullmatch(r"https?://\S+", str(value)) is None:
        return "Please enter a valid URL."
    return None


def _length_problem(element: Json, value: str) -> str | None:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter at most {most} characters." if len(value) > most else None


def _number_problem(element: Json, value: str) -> str | None:
    pattern = r"-?\d+(\.\d+)?" if element["is_decimal_allowed"] else r"-?\d+"
    if re.fullmatch(pattern, value) is None:
        return "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and float(value) < float(low):
        return f"Please enter a number of at least {low}."
    return (
        f"Please enter a number of at most {high}."
        if high is not None and float(value) > float(high)
        else None
    )
