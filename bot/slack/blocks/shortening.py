"""Sentences made short enough for a phone without losing their sense: whole clauses go, lists are counted, words stay."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triage.untrusted_text import cut, one_line

LONG = 2_000
"""Characters of a text that are looked at."""
_CLAUSE = r" · |; | \(|, (?:which|whose|where|while|so|but|and|as|yesterday) |, (?=\d+ (?:s|min|h|d) (?:before|after) )"
_JOINT = re.compile(rf"{_CLAUSE}|: ")
_LIST = re.compile(r", ")
_ASIDE = re.compile(r" \([^()]*\)(?=,? \w)")
"""What stands in brackets within a sentence: it goes before the sentence's end does."""
_NAME = re.compile(r"[^\W\d_][\w.]*[\d_-][\w.-]*")
"""The name of a bot or a container: ``bot1``, ``hbot-redis``."""
_COUNTED = re.compile(r"(?P<names>.*?) and (?P<more>\d+) more(?P<tail>(?: .*)?)")
_PATH = re.compile(r"(?<![\w/.-])(?:/[\w.@-]+){2,}/([\w.@-]+)|(?<![\w/.:-])(?:[\w.-]+/)+([\w.-]+:[\w.-]+)")
"""A path on a disk and the name of an image: where room is short, their last part stands for them."""
_EACH = re.compile(r"^Each of \S+ and (\d+) more(?= )")
_MORE = re.compile(r" and \d+ more$")
_LEAST = 10
"""A clause below this length says nothing by itself."""


def shorter(text: str, limit: int) -> str:
    """Return the text in at most ``limit`` characters.

    Clauses are left out from its end: what stands in brackets, behind a colon, a semicolon or a dot. A list keeps its
    first names and counts the others. Only a text with neither is cut, between words and with ``…``.
    """
    text = one_line(text, LONG)
    if len(text) > limit:
        text = _PATH.sub(r"\1\2", text)
    whole = text
    if len(text) > limit:
        text = _ASIDE.sub("", text)
    if len(text) <= limit:
        return text
    clause = _first_clauses(text, limit)
    listed = _list_cut(text, limit)
    if clause and (not listed or len(clause) >= limit // 3):
        return clause
    return listed or clause or _first_clauses(whole, limit) or cut(text, limit)


def some(texts: Sequence[str], limit: int) -> str:
    """Return as many of the texts as fit whole, and how many more there are: ``Redis does not answer and 2 more``."""
    kept: list[str] = []
    for number, text in enumerate(texts):
        rest = len(texts) - number - 1
        more = f" and {rest} more" if rest else ""
        whole = one_line(text, LONG)
        if len(", ".join([*kept, whole])) + len(more) > limit:
            whole = _PATH.sub(r"\1\2", whole)
        if len(", ".join([*kept, whole])) + len(more) > limit:
            break
        kept.append(whole)
    rest = len(texts) - len(kept)
    if kept:
        return ", ".join(kept) + (f" and {rest} more" if rest else "")
    tight = _PATH.sub(r"\1\2", one_line(texts[0], LONG)) + f" (+{rest - 1})" if rest > 1 else ""
    if tight and len(tight) <= limit:
        return tight
    more = f" and {rest - 1} more" if rest > 1 else ""
    first = shorter(texts[0], limit - len(more)) if texts else ""
    return first + (f" (+{rest - 1})" if more and _MORE.search(first) else more)


def _first_clauses(text: str, limit: int) -> str:
    """Return the longest beginning that ends where a clause does and closes the brackets that it opens."""
    ends = [
        found.start()
        for found in _JOINT.finditer(text)
        if _LEAST <= found.start() <= limit and _closed(text, found.start()) and not _headless(text, found)
    ]
    return text[: max(ends)].rstrip(" ,") if ends else ""


def _list_cut(text: str, limit: int) -> str:
    """Return a text that is cut in a list, the names that are left out counted.

    A list that counts names itself goes on behind its count: what is said of them all stays, or is cut between words.
    """
    counted = ""
    for found in reversed(list(_LIST.finditer(text, 0, limit))):
        if not _closed(text, found.start()):
            continue
        rest = re.split(_CLAUSE, text[found.end() :], maxsplit=1)[0]
        if ": " in rest:  # a comma in what stands before a colon parts no names
            continue
        head, more = text[: found.start()], len(rest.split(", "))
        tail = _said_of_all(head, rest)
        if (behind := _COUNTED.fullmatch(rest)) is not None:
            more, tail = len(behind["names"].split(", ")) + int(behind["more"]), behind["tail"]
        said = f"{head} and {more} more{tail}"
        if found.start() >= _LEAST and len(said) <= limit:
            return said
        counted = said if tail and found.start() >= _LEAST else counted
    if len(counted) > limit:  # names too long for one of them
        counted = _EACH.sub(lambda found: f"Each of {int(found[1]) + 1}", counted)
    return cut(counted, limit)


def _said_of_all(head: str, rest: str) -> str:
    """Return what a sentence of ``Each of bot1, bot2 passed the limit`` says of all: `` passed the limit``."""
    *names, last = rest.split(", ")
    name, space, said = last.partition(" ")
    before = names or [head.rpartition(", ")[2].removeprefix("Each of ")]
    named = all(map(_NAME.fullmatch, [head.rpartition(": ")[2].rpartition(", ")[2], *names, name]))
    of_all = named or (head.startswith("Each of ") and not any(" " in one for one in before))
    return space + said if of_all else ""


def _headless(text: str, found: re.Match[str]) -> bool:
    """Return whether a cut at this colon would leave a name with nothing behind it: ``bot2 paused · also firing``."""
    return found.group() == ": " and (" · " in text[: found.start()] or "; " in text[: found.start()])


def _closed(text: str, end: int) -> bool:
    return text.count("(", 0, end) <= text.count(")", 0, end)


__all__ = ["shorter", "some"]
