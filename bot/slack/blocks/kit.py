"""The few parts of Block Kit that are used, each kept inside Slack's limits (facts: 3,000 a text, 150 a header…)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from triage.model import Json
from triage.untrusted_text import cut, one_line, shown
from triage.wording import duration

HEADER, BUTTON, LEAF, URL = 150, 75, 3000, 900
PHONE, PHONE_SMALL, PHONE_HEADER = 36, 42, 30
"""Characters in a line of a phone (375 pixels): of text, of small text, of a header."""
PREVIEW = 600
_URL = re.compile(r"https?://[^\s<>|\"\\^`{}\x00-\x1f\x7f\u200b-\u206f]+")
_COMMAND_LINE = re.compile(r"\S{0,200}(?:docker|podman|nerdctl|redis-cli)\S{0,200} |.* --env-file ")
Style = Literal["primary", "danger"]


def header(text: str) -> Json:
    """Return a header; emoji codes in it stay letters."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, HEADER), "emoji": False}}


def rich(*elements: Json) -> Json:
    """Return a rich-text block of one paragraph."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def leaf(text: str, *, bold: bool = False, code: bool = False, limit: int = LEAF) -> Json:
    """Return a piece of text that no client reads as markup. Newlines stay."""
    kept = cut(text, limit) or " "
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    return {"type": "text", "text": kept, **({"style": style} if style else {})}


def mention(person: str) -> Json:
    """Return a mention of a user (U…, W…) or a user group (S…): whoever it is gets a notification."""
    if person.startswith("S"):
        return {"type": "usergroup", "usergroup_id": person}
    return {"type": "user", "user_id": person}


def untrusted(text: str, limit: int, *, bold: bool = False, code: bool = False) -> Json:
    """Return untrusted text, cleaned and on one line, as a leaf."""
    return leaf(one_line(text, limit), bold=bold, code=code)


def step_line(text: str, limit: int) -> Json:
    """Return what a step does: code where it is a command to copy, plain text where it is words."""
    return untrusted(text, limit, code=_COMMAND_LINE.match(text) is not None)


def ago(at: datetime, now: datetime) -> Json:
    """Return ``4 minutes ago`` as the client reckons it: an edit would freeze it, a date element does not."""
    seconds = max(0.0, (now - at).total_seconds())
    return {
        "type": "date",
        "timestamp": max(0, int(at.timestamp())),
        "format": "{ago}",
        "fallback": f"{duration(seconds)} ago",
    }


def paragraph(lines: Iterable[Sequence[Json]]) -> Json | None:
    """Return lines (each a list of leaves) as one block; None where there are none."""
    elements: list[Json] = []
    for line in lines:
        if elements:
            elements.append(leaf("\n"))
        elements += line
    return rich(*elements) if elements else None


def fitting(lines: Sequence[Sequence[Json]], budget: int) -> list[Sequence[Json]]:
    """Return as many of the lines as fit into ``budget`` characters, and say how many do not."""
    kept: list[Sequence[Json]] = []
    for line in lines:
        budget -= 1 + sum(len(element.get("text", element.get("fallback", ""))) for element in line)
        if budget < 0:
            return [*kept, [leaf(f"and {len(lines) - len(kept)} more lines")]]
        kept.append(line)
    return kept


def height(lines: Iterable[Sequence[Json]]) -> int:
    """Return how many lines of a phone these lines of leaves take."""
    lengths = [sum(len(part.get("text", part.get("fallback", ""))) for part in line) for line in lines]
    return sum(rows(length, PHONE) for length in lengths)


def rows(length: int, width: int) -> int:
    """Return how many lines of ``width`` so many characters take, at least one."""
    return max(1, -(-length // width))


def preformatted(text: str, limit: int = LEAF) -> Json:
    """Return untrusted lines in fixed width."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [leaf(shown(text, limit))]}],
    }


def small(*texts: str) -> Json:
    """Return small grey text, as plain text."""
    kept = [cut(text, 1000) for text in texts if text]
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": text, "emoji": False} for text in kept],
    }


def safe_url(url: str) -> str:
    """Return a web address as it can stand in a link, or nothing."""
    escaped = url.replace("&", "&amp;")
    return escaped if len(escaped) <= URL and _URL.fullmatch(url) else ""


def ago_link(at: datetime, now: datetime) -> str:
    """Return ``4 minutes ago`` as mrkdwn, the time reckoned by the client as by ``ago``."""
    seconds = max(0.0, (now - at).total_seconds())
    return f"<!date^{max(0, int(at.timestamp()))}^{{ago}}|{duration(seconds)} ago>"


def links(pairs: Iterable[tuple[str, str]], *, first: str = "") -> Json | None:
    """Return (name, address) pairs as one line of small links; unfit addresses are left out.

    ``first``: mrkdwn of our own that stands before them.
    """
    shown_ones = [f"<{safe_url(url)}|{name}>" for name, url in pairs if safe_url(url)]
    shown_ones = [first, *shown_ones] if first else shown_ones
    if not shown_ones:
        return None
    text = " · ".join(shown_ones)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def button(label: str, action_id: str, value: str, style: Style | None = None) -> Json:
    """Return a button."""
    made: dict[str, Json] = {
        "type": "button",
        "text": {"type": "plain_text", "text": one_line(label, BUTTON), "emoji": False},
        "action_id": cut(action_id, 255),
        "value": value,
    }
    return {**made, "style": style} if style else made


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Json:
    """Return a menu of (label, value) pairs, five at most; the client shows it as three dots."""
    return {
        "type": "overflow",
        "action_id": cut(action_id, 255),
        "options": [
            {
                "text": {"type": "plain_text", "text": one_line(label, BUTTON), "emoji": False},
                "value": value[:150],
            }
            for label, value in options[:5]
        ],
    }


def actions(block_id: str, buttons: Sequence[Json]) -> Json | None:
    """Return a row of buttons; None where there are none."""
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)} if buttons else None


_LOOK_ALIKE = {"*": "∗", "`": "ˋ", "~": "∼"}  # noqa: RUF001 - look-alikes that mean nothing to Slack
_PREVIEW_MARKUP = str.maketrans({**_LOOK_ALIKE, "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_EMOJI_CODE = re.compile(r":(?=[a-z0-9_+'-]{1,60}:)")
_ITALIC = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def preview(text: str) -> str:
    """Return one line for notifications: Slack reads mrkdwn there, so every sign of it is disarmed."""
    line = _ITALIC.sub("＿", _EMOJI_CODE.sub("∶", one_line(text, PREVIEW)))  # noqa: RUF001 - look-alikes on purpose
    return line.translate(_PREVIEW_MARKUP)


def present(blocks: Iterable[Json | None]) -> tuple[Json, ...]:
    """Return the blocks that are there."""
    return tuple(block for block in blocks if block is not None)
