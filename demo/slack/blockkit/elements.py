"""Texts, options, buttons, menus and inputs: what stands inside a block."""

from __future__ import annotations

from demo.slack.blockkit.rules import (
    Rule,
    anything,
    both,
    by_type,
    exactly_one,
    flag,
    integer,
    items,
    one_of,
    say,
    shape,
    string,
)

ID = string(255)
URL = string(3000, like=r"https?://\S+")
DATE = string(10, like=r"\d{4}-\d{2}-\d{2}")
TIME = string(5, like=r"([01]\d|2[0-3]):[0-5]\d")
NUMBER = string(64, like=r"-?\d+(\.\d+)?")


def plain(most: int) -> Rule:
    """Accept a `plain_text` object of at most `most` characters."""
    return by_type(
        {
            "plain_text": shape({"type": anything, "text": string(most), "emoji": flag}, required=("text",)),
        }
    )


def any_text(most: int) -> Rule:
    """Accept a `plain_text` or `mrkdwn` object of at most `most` characters."""
    return by_type(
        {
            "plain_text": shape({"type": anything, "text": string(most), "emoji": flag}, required=("text",)),
            "mrkdwn": shape({"type": anything, "text": string(most), "verbatim": flag}, required=("text",)),
        }
    )


CONFIRM = shape(
    {
        "title": plain(100),
        "text": any_text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": one_of("primary", "danger"),
    },
    required=("title", "text", "confirm", "deny"),
)
OPTION = shape(
    {"text": any_text(75), "value": string(150), "description": any_text(75), "url": URL},
    required=("text", "value"),
)
OPTION_GROUP = shape({"label": plain(75), "options": items(OPTION, 100)}, required=("label", "options"))


def _initial_is_an_option(value: object, pointer: str, problems: list[str]) -> None:
    """Refuse a preselected option that the menu does not offer."""
    if not isinstance(value, dict):
        return
    groups = value.get("option_groups") or []
    offered = [*(value.get("options") or []), *(option for group in groups for option in group["options"])]
    chosen = [value["initial_option"]] if value.get("initial_option") else value.get("initial_options") or []
    if any(option not in offered for option in chosen):
        say(problems, pointer, "initial option must be exactly one of the options")


_BASE: dict[str, Rule] = {"type": anything, "action_id": ID, "confirm": CONFIRM, "focus_on_load": flag}
_PLACEHOLDER = {"placeholder": plain(150)}
_MULTI = {"max_selected_items": integer(1, 100)}
_OFFER = {"options": items(OPTION, 100), "option_groups": items(OPTION_GROUP, 100)}
_FEW = {"options": items(OPTION, 10)}


def _menu(**fields: Rule) -> Rule:
    return shape({**_BASE, **_PLACEHOLDER, **fields})


BUTTON = shape(
    {
        "type": anything,
        "text": plain(75),
        "action_id": ID,
        "url": URL,
        "value": string(2000, least=0),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
    required=("text",),
)
IMAGE = both(
    shape(
        {
            "type": anything,
            "image_url": URL,
            "slack_file": shape({"id": ID, "url": URL}),
            "alt_text": string(2000),
        },
        required=("alt_text",),
    ),
    exactly_one("image_url", "slack_file"),
)
MENUS: dict[str, Rule] = {
    "static_select": both(
        _menu(**_OFFER, initial_option=OPTION),
        exactly_one("options", "option_groups"),
        _initial_is_an_option,
    ),
    "multi_static_select": both(
        _menu(**_OFFER, **_MULTI, initial_options=items(OPTION, 100)),
        exactly_one("options", "option_groups"),
        _initial_is_an_option,
    ),
    "users_select": _menu(initial_user=ID),
    "multi_users_select": _menu(**_MULTI, initial_users=items(ID, 100)),
    "channels_select": _menu(initial_channel=ID, response_url_enabled=flag),
    "conversations_select": _menu(
        initial_conversation=ID,
        default_to_current_conversation=flag,
        response_url_enabled=flag,
        filter=anything,
    ),
}
CHOICES: dict[str, Rule] = {
    "checkboxes": both(
        shape({**_BASE, **_FEW, "initial_options": items(OPTION, 10)}, required=("options",)),
        _initial_is_an_option,
    ),
    "radio_buttons": both(
        shape({**_BASE, **_FEW, "initial_option": OPTION}, required=("options",)), _initial_is_an_option
    ),
    "datepicker": _menu(initial_date=DATE),
    "timepicker": _menu(initial_time=TIME, timezone=string(64)),
    "datetimepicker": shape({**_BASE, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
}
_TYPED = {
    **_BASE,
    **_PLACEHOLDER,
    "dispatch_action_config": shape(
        {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 2)}
    ),
}
INPUTS: dict[str, Rule] = {
    "plain_text_input": shape(
        {
            **_TYPED,
            "initial_value": string(3000, least=0),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    "number_input": shape(
        {
            **_TYPED,
            "is_decimal_allowed": flag,
            "initial_value": NUMBER,
            "min_value": NUMBER,
            "max_value": NUMBER,
        },
        required=("is_decimal_allowed",),
    ),
    "email_text_input": shape({**_TYPED, "initial_value": string(3000, least=0)}),
    "url_text_input": shape({**_TYPED, "initial_value": string(3000, least=0)}),
}
OVERFLOW = shape(
    {"type": anything, "action_id": ID, "options": items(OPTION, 5), "confirm": CONFIRM},
    required=("options",),
)

CLICKABLE: dict[str, Rule] = {"button": BUTTON, "overflow": OVERFLOW, **MENUS, **CHOICES}
ACCESSORY = by_type({**CLICKABLE, "image": IMAGE})
IN_ACTIONS = by_type(CLICKABLE)
IN_INPUT = by_type({**MENUS, **CHOICES, **INPUTS})
IN_CONTEXT = by_type(
    {
        "image": IMAGE,
        "plain_text": any_text(3000),
        "mrkdwn": any_text(3000),
    }
)
