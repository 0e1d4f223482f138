"""Blocks and views the tests send."""

from __future__ import annotations


def modal(callback_id: str = "form", *, title: str = "A form", **more: object) -> dict[str, object]:
    """Return a modal with one required text input `reason` and a menu `length`."""
    options = [{"text": {"type": "plain_text", "text": f"{n} h"}, "value": str(n)} for n in (1, 2, 4)]
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": {"type": "plain_text", "text": "Reason"},
                "element": {"type": "plain_text_input", "action_id": "reason", "min_length": 3},
            },
            {
                "type": "input",
                "block_id": "length",
                "label": {"type": "plain_text", "text": "How long"},
                "element": {
                    "type": "static_select",
                    "action_id": "length",
                    "options": options,
                    "initial_option": options[0],
                },
            },
        ],
        **more,
    }


def buttons(*action_ids: str, block_id: str = "do") -> list[dict[str, object]]:
    """Return a section and a row of buttons."""
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*bot1* hard_stop"}},
        {
            "type": "actions",
            "block_id": block_id,
            "elements": [
                {
                    "type": "button",
                    "action_id": action_id,
                    "value": "01HX",
                    "text": {"type": "plain_text", "text": action_id},
                }
                for action_id in action_ids
            ],
        },
    ]
