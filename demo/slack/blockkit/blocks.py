"""The blocks, and on which surface each may stand."""

from __future__ import annotations

from demo.slack.blockkit.elements import (
    ACCESSORY,
    ID,
    IN_ACTIONS,
    IN_CONTEXT,
    IN_INPUT,
    URL,
    any_text,
    plain,
)
from demo.slack.blockkit.rich import RICH_TEXT
from demo.slack.blockkit.rules import (
    Rule,
    anything,
    at_least_one,
    both,
    by_type,
    exactly_one,
    flag,
    items,
    one_of,
    shape,
    string,
)

TABLE_CHARACTERS = 10_000
MARKDOWN_CHARACTERS = 12_000

_BASE: dict[str, Rule] = {"type": anything, "block_id": ID}


def _block(required: tuple[str, ...] = (), **fields: Rule) -> Rule:
    return shape({**_BASE, **fields}, required=required)


_CELL = by_type(
    {
        "raw_text": shape({"type": anything, "text": string(TABLE_CHARACTERS, least=0)}, required=("text",)),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = shape({"align": one_of("left", "center", "right"), "is_wrapped": flag})

EVERYWHERE: dict[str, Rule] = {
    "section": both(
        _block(text=any_text(3000), fields=items(any_text(2000), 10), accessory=ACCESSORY, expand=flag),
        at_least_one("text", "fields"),
    ),
    "header": _block(("text",), text=plain(150)),
    "divider": _block(),
    "image": both(
        _block(
            ("alt_text",),
            image_url=URL,
            slack_file=shape({"id": ID, "url": URL}),
            alt_text=string(2000),
            title=plain(2000),
        ),
        exactly_one("image_url", "slack_file"),
    ),
    "context": _block(("elements",), elements=items(IN_CONTEXT, 10)),
    "actions": _block(("elements",), elements=items(IN_ACTIONS, 25)),
    "input": _block(
        ("label", "element"),
        label=plain(2000),
        element=IN_INPUT,
        dispatch_action=flag,
        hint=plain(2000),
        optional=flag,
    ),
    "rich_text": RICH_TEXT,
}
ONLY_MESSAGES: dict[str, Rule] = {
    "markdown": _block(("text",), text=string(MARKDOWN_CHARACTERS)),
    "table": _block(
        ("rows",),
        rows=items(items(_CELL, 20), 100),
        column_settings=items(_COLUMN, 20, least=0),
    ),
}

MESSAGE_BLOCKS = items(by_type({**EVERYWHERE, **ONLY_MESSAGES}), 50, least=0)
VIEW_BLOCKS = items(by_type(EVERYWHERE), 100, least=0)
