"""A text as a reader takes it: without what is not seen, and with escapes of one character read as that character.

The kinds of secrets look at this view. What they find is told back to the places in the text as it came.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Characters that nobody sees, as a class of a regular expression: zero width, bidi controls, variation selectors."""

TERMINAL = (
    r"(?:\x1b\[|\x9b)(?:[0-?]{1,40}[ -/]{0,3}|[!-/]{0,3})[@-~]|\x1b\][^\x07\x1b\n]{0,500}(?:\x07|\x1b\\)"
    r"|\x1b(?: [FGLMN](?![A-Z])|[!-/]{0,3}[0-Z^-~])"
    r"|[^\x08\n]\x08|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"
)
"""What a terminal acts on and does not show: colours, links, what was struck over; of other controls each one.

The blank behind a control that begins nothing is a blank: it takes no letter from the name that follows.
"""
_ACTS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")

_REWRITTEN = re.compile(
    rf"{TERMINAL}|[{_UNSEEN}]+"
    r"|\\(?:u001b|x1b|033|e)\[[0-9;:]{0,20}[A-Za-z]"
    r"|\\(?:u00|x)(?P<escaped>[2-7][0-9A-Fa-f])"
    r"|&(?P<entity>quot|apos|amp|lt|gt|nbsp|equals|colon|#\d{2,3}|#[xX][0-9A-Fa-f]{2});"
    r"|(?P<percent>%25)(?=[0-9A-Fa-f]{2})"
)
_ENTITIES = {
    "quot": '"',
    "apos": "'",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "nbsp": " ",
    "equals": "=",
    "colon": ":",
}
_MARKS = ("\\", "&", "%25")
"""One of them, or a control, is in every text of ASCII that is rewritten."""

_LOOKS_LIKE: dict[int, str] = {
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0xA0, 0x1680, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)), " "),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0xFE63), "-"),
    **dict.fromkeys((0x201C, 0x201D, 0x201F, 0x2033), '"'),
    **dict.fromkeys((0x2018, 0x2019, 0x201B, 0x2032), "'"),
    **dict.fromkeys((0xFE55, 0xA789, 0x2236), ":"),
    0xFE66: "=",
    0x21D2: "\u2192",
    0x3001: ",",
}
"""Characters that are taken for one of ASCII: full width, spaces, hyphens, quotes."""


@dataclass(slots=True)
class PlainView:
    """``text`` is what is looked at. ``starts``: where each piece of it begins, ``pieces``: what it was made of.

    A piece is (start, end, literal) in the text as it came; a literal one is as long there as here.
    """

    text: str
    starts: list[int] = field(default_factory=list)
    pieces: list[tuple[int, int, bool]] = field(default_factory=list)

    def start_of(self, at: int) -> int:
        """Return where a position of the view begins in the text as it came."""
        return self._place(at)[0]

    def end_of(self, at: int) -> int:
        """Return where, in the text as it came, that ends which ends at a position of the view."""
        return self._place(at - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        if not self.starts:
            return at, at + 1
        number = bisect_right(self.starts, at) - 1
        start, end, literal = self.pieces[number]
        within = at - self.starts[number]
        return (start + within, start + within + 1) if literal else (start, end)


def plain_view(text: str) -> PlainView:
    """Return the view of a text; of most it is the text itself."""
    if text.isascii():
        acts = not text.isprintable() and _ACTS.search(text) is not None
        if not acts and not any([mark in text for mark in _MARKS]):  # noqa: C419 - a list is faster than a generator here
            return PlainView(text)
    else:
        text = text.translate(_LOOKS_LIKE)
    first = _REWRITTEN.search(text)
    return PlainView(text) if first is None else _rewritten(text)


def _rewritten(text: str) -> PlainView:
    view = PlainView("")
    parts: list[str] = []
    length = at = 0

    def add(part: str, start: int, end: int, *, literal: bool) -> None:
        nonlocal length
        if part:
            view.starts.append(length)
            view.pieces.append((start, end, literal))
            parts.append(part)
            length += len(part)

    for match in _REWRITTEN.finditer(text):
        add(text[at : match.start()], at, match.start(), literal=True)
        add(_read(match), match.start(), match.end(), literal=False)
        at = match.end()
    add(text[at:], at, len(text), literal=True)
    view.text = "".join(parts)
    return view


def _read(match: re.Match[str]) -> str:
    """Return what an escape stands for, nothing of what is not seen. A quote stays escaped: it may be within a value."""
    if match["escaped"]:
        char = chr(int(match["escaped"], 16))
    elif match["percent"]:
        return "%"
    elif entity := match["entity"]:
        char = _ENTITIES.get(entity) or _numbered(entity)
    else:
        return ""
    return f"\\{char}" if char in "\"'" else char


def _numbered(entity: str) -> str:
    number = int(f"0{entity[1:]}", 0) if entity[1] in "xX" else int(entity[1:])
    char = chr(number)
    return " " if char == "\xa0" else char if char.isascii() and char.isprintable() else "?"
