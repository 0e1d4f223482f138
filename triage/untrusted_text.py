"""Untrusted text (labels, annotations, log lines, what people typed) cleaned, masked and cut before a person sees it.

Nothing here knows a chat's markup: what comes out belongs into plain text, or into a rich-text leaf.
"""

from __future__ import annotations

import re
from functools import lru_cache

from triage.masking import masked_and_cut
from triage.masking.plain_view import TERMINAL

_FAULT_MAX = 300
_READ_AT_MOST = 20_000
"""Characters of a text that are looked at: a megabyte of annotation must not cost a second of regexes."""
_UNSURE = 600
"""Characters before the end of reading that are not shown: a longer secret is known by how it begins."""

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0e\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""What is not seen but acts: bidi controls, zero-width characters, variation selectors, tags."""

_TERMINAL = re.compile(TERMINAL)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MARKS = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_COMMAND = re.compile(r"<(?=[!@#/]|[a-z][a-z0-9+.-]{0,20}:)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\xa0]+")


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters; a text that was longer is cut between words and ends in ``…``.

    Only a single word that is longer than half of the limit is cut inside.
    """
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - 1)]
    if kept and not text[len(kept)].isspace():
        whole = kept[: max(kept.rfind(" "), kept.rfind("\n")) + 1]
        kept = whole if len(whole) > limit // 2 else kept
    return kept.rstrip(" \n\t.·,;:(") + "…"


def shown(text: str, limit: int) -> str:
    """Return the text without invisible characters, control codes and secrets; line breaks stay.

    ``<!channel>``, ``<@U1>`` and ``<https://…>`` lose their bracket to one that no client reads as markup;
    any other ``<`` stays what it is.
    """
    return cut(_COMMAND.sub("\u2039", _SPACE.sub(" ", _without_secrets(text))).strip(), limit)


def one_line(text: str, limit: int) -> str:
    """Return the text as ``shown`` does, its lines joined by spaces."""
    # Masked before its lines are joined: some secrets end where their line does.
    return cut(_COMMAND.sub("\u2039", " ".join(_without_secrets(text).split())), limit)


def fault_words(error: BaseException) -> str:
    """Return a fault of our own code in words for a person, in one line."""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return f"a fault of ours ({one_line(said, _FAULT_MAX)})"


def _without_secrets(text: str) -> str:
    return _remembered(text) if len(text) <= _SHORT else _searched(text)


def _searched(text: str) -> str:
    whole = len(text) <= _READ_AT_MOST
    # Taken out, not made a space: within a name or a secret it would keep both from being seen.
    text = _UNSEEN.sub("", _TERMINAL.sub("", text[: _READ_AT_MOST + 1]))
    text = _MARKS.sub(r"\1", _CONTROL.sub(" ", text.replace("\r\n", "\n")))
    text = masked_and_cut(text, _READ_AT_MOST, read_at_most=_READ_AT_MOST)
    # Where reading ended, a secret may have been cut in two, and its first half looks like none.
    return text if whole else text[:-_UNSURE]


_SHORT = 1_000
_remembered = lru_cache(maxsize=512)(_searched)
"""A card says its summary in several places, and each edit of it says the same again."""
