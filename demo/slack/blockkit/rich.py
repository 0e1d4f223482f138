"""`rich_text`: sections, lists, quotes and code of leaves that carry no markup of their own."""

from __future__ import annotations

from demo.slack.blockkit.elements import ID, URL
from demo.slack.blockkit.rules import anything, by_type, flag, integer, items, one_of, shape, string

_STYLE = shape(dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight"), flag))
_RICH_LEAF = by_type(
    {
        "text": shape({"type": anything, "text": string(3000), "style": _STYLE}, required=("text",)),
        "link": shape(
            {"type": anything, "url": URL, "text": string(3000), "unsafe": flag, "style": _STYLE},
            required=("url",),
        ),
        "emoji": shape(
            {
                "type": anything,
                "name": string(100),
                "unicode": string(100),
                "skin_tone": integer(1, 6),
                "style": _STYLE,
            },
            required=("name",),
        ),
        "user": shape({"type": anything, "user_id": ID, "style": _STYLE}, required=("user_id",)),
        "usergroup": shape(
            {"type": anything, "usergroup_id": ID, "style": _STYLE}, required=("usergroup_id",)
        ),
        "channel": shape({"type": anything, "channel_id": ID, "style": _STYLE}, required=("channel_id",)),
        "broadcast": shape(
            {"type": anything, "range": one_of("here", "channel", "everyone"), "style": _STYLE},
            required=("range",),
        ),
        "color": shape({"type": anything, "value": string(7)}, required=("value",)),
        "date": shape(
            {
                "type": anything,
                "timestamp": integer(0, 9_999_999_999),
                "format": string(200),
                "url": URL,
                "fallback": string(200),
                "style": _STYLE,
            },
            required=("timestamp", "format"),
        ),
    }
)
_LEAVES = items(_RICH_LEAF, 1000, least=0)
_RICH_SECTION = shape({"type": anything, "elements": _LEAVES}, required=("elements",))
RICH_TEXT_PART = by_type(
    {
        "rich_text_section": _RICH_SECTION,
        "rich_text_preformatted": shape(
            {"type": anything, "elements": _LEAVES, "border": integer(0, 1), "language": string(40)},
            required=("elements",),
        ),
        "rich_text_quote": shape(
            {"type": anything, "elements": _LEAVES, "border": integer(0, 1)}, required=("elements",)
        ),
        "rich_text_list": shape(
            {
                "type": anything,
                "style": one_of("bullet", "ordered"),
                "elements": items(by_type({"rich_text_section": _RICH_SECTION}), 1000, least=0),
                "indent": integer(0, 8),
                "offset": integer(0, 10_000),
                "border": integer(0, 1),
            },
            required=("style", "elements"),
        ),
    }
)
RICH_TEXT = shape(
    {"type": anything, "block_id": ID, "elements": items(RICH_TEXT_PART, 1000, least=0)},
    required=("elements",),
)
