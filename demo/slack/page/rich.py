"""`rich_text` blocks as HTML."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup, escape

from demo.slack.model import Json
from demo.slack.page.text import Text, emoji, link

_TAGS = {
    "bold": "strong",
    "italic": "em",
    "strike": "s",
    "code": "code",
    "underline": "u",
    "highlight": "mark",
}


def rich_text(text: Text, block: Json) -> Markup:
    """Return a whole block; lists that follow each other at other indents belong together."""
    return Markup().join(_part(text, part) for part in block["elements"])


def _part(text: Text, part: Json) -> Markup:
    kind = part["type"]
    if kind == "rich_text_list":
        return _list(text, part)
    if kind == "rich_text_preformatted":
        return Markup("<pre>{}</pre>").format(Markup().join(_leaf(text, leaf) for leaf in part["elements"]))
    inner = _section(text, part)
    if kind == "rich_text_quote":
        return Markup("<blockquote>{}</blockquote>").format(inner)
    return Markup('<div class="rich">{}</div>').format(inner)


def _list(text: Text, part: Json) -> Markup:
    tag = "ol" if part["style"] == "ordered" else "ul"
    items = Markup().join(Markup("<li>{}</li>").format(_section(text, item)) for item in part["elements"])
    start = (
        Markup(' start="{}"').format(part["offset"] + 1) if part.get("offset") and tag == "ol" else Markup()
    )
    indent = min(int(part.get("indent", 0)), 8)
    opening = Markup('<{} class="indent-{}"{}>').format(Markup(tag), indent, start)  # noqa: S704 - ol or ul
    return opening + items + Markup("</{}>").format(Markup(tag))  # noqa: S704 - ol or ul


def _section(text: Text, part: Json) -> Markup:
    return Markup().join(_leaf(text, leaf) for leaf in part["elements"])


def _leaf(text: Text, leaf: Json) -> Markup:
    piece = _LEAVES[leaf["type"]](text, leaf)
    for style, tag in _TAGS.items():
        if (leaf.get("style") or {}).get(style):
            piece = Markup("<{0}>{1}</{0}>").format(Markup(tag), piece)  # noqa: S704 - a tag of the table above
    return piece


_LEAVES: dict[str, Callable[[Text, Json], Markup]] = {
    "text": lambda _, leaf: Markup(str(escape(leaf["text"])).replace("\n", "<br>")),  # noqa: S704 - escaped here
    "link": lambda _, leaf: link(leaf["url"], leaf.get("text")),
    "emoji": lambda _, leaf: emoji(leaf["name"]) or escape(f":{leaf['name']}:"),
    "user": lambda text, leaf: text.user(leaf["user_id"]),
    "usergroup": lambda text, leaf: text.group(leaf["usergroup_id"]),
    "channel": lambda text, leaf: text.channel(leaf["channel_id"]),
    "broadcast": lambda text, leaf: text.broadcast(leaf["range"]),
    "color": lambda _, leaf: Markup("<code>{}</code>").format(leaf["value"]),
    "date": lambda text, leaf: text.date(
        leaf["timestamp"], leaf["format"], leaf.get("url", ""), leaf.get("fallback", "")
    ),
}
