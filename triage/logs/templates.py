"""Log messages grouped into templates: what varies is masked, what is left almost the same is merged.

Pure and deterministic: the same messages in any order give the same groups. See
docs/log-templates.md for the way it works and why no library does it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from triage.logs.lines import ErrorLine
from triage.masking import masked

_SIMILAR = 0.6
"""Share of tokens that two templates of one length must share to be one."""
FRESH = frozenset({"new", "surging"})
"""The kinds of a template that say that something changed."""
_FEW_TOKENS = 3
"""A message this short is its own template: one different word of three is another message."""
_TOKENS_MAX = 60
_SLOT = "<*>"

_VARIABLE: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), name, needles)
    for pattern, name, needles in (
        (r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s\"'<>]+", "<url>", ("://",)),
        (
            r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
            "<time>",
            ("-",),
        ),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>", (":",)),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<id>", ("-",)),
        (r"\b0x[0-9a-fA-F]+\b", "<id>", ("0x",)),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b", "<address>", (".",)),
        (
            r"\"[^\"\n]{0,400}\"|(?<![A-Za-z0-9])'[^'\n]{0,400}'(?![A-Za-z0-9])",
            "<text>",
            ('"', "'"),
        ),
        (r"(?<![\w<])(?:/[\w.@%+~-]+){2,}/?", "<path>", ("/",)),
        (r"\b(?=[\w-]*\d)[A-Za-z]{1,12}-[A-Za-z]{2,12}-[\w-]{6,}\b", "<id>", ("-",)),
        (r"\b[A-Z0-9]{2,12}[-/](?:USDT|USDC|USD|BUSD|EUR|BTC|ETH)\b", "<pair>", ("-", "/")),
        (r"\b(?=(?:[A-Za-z_]*\d){3})(?=\w*[A-Za-z])\w{12,}\b", "<id>", ()),
        (r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b", "<id>", ()),
        (
            r"(?<![A-Za-z_<])[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?=$|[^\w]|%|(?:ms|s|x|k|M|bps|USDT|BTC|min|h)\b)",
            "<n>",
            (),
        ),
        (r"(?<=[A-Za-z_])\d+\b", "<n>", ()),
    )
)
"""Pattern of what varies, its placeholder, and texts one of which every match contains: a cheap test before the pattern."""


@dataclass(frozen=True, slots=True)
class Template:
    """Messages of one kind and level: ``text`` with its slots, how many, when first and last, and the first in full.

    ``exception``: the last line of the first one's traceback.
    """

    text: str
    count: int
    first_at: datetime
    last_at: datetime
    example: str
    logger: str = ""
    level: str = "ERROR"
    exception: str = ""


def mask_variables(message: str) -> str:
    """Return the message with secrets, numbers, ids, times, paths, addresses and quotations masked."""
    text = masked(message)
    for pattern, name, needles in _VARIABLE:
        if not needles or any(map(text.__contains__, needles)):
            text = pattern.sub(name, text)
    return " ".join(text.split())


def templates(lines: Iterable[ErrorLine]) -> tuple[Template, ...]:
    """Group errors into templates, the most frequent first."""
    exact: dict[str, list[ErrorLine]] = defaultdict(list)
    seen: dict[str, str] = {}
    for line in lines:
        text = seen.get(line.text)
        if text is None:
            text = seen[line.text] = mask_variables(line.text)
        exact[text].append(line)
    merged: dict[str, list[ErrorLine]] = defaultdict(list)
    for text, target in _merge({text: len(group) for text, group in exact.items()}).items():
        merged[target].extend(exact[text])
    found = [_template(text, group) for text, group in merged.items()]
    return tuple(sorted(found, key=lambda each: (-each.count, each.first_at, each.text)))


def _template(text: str, group: list[ErrorLine]) -> Template:
    first = min(group, key=lambda line: (line.at, line.text))
    last = max(line.at for line in group)
    return Template(
        text=text,
        count=len(group),
        first_at=first.at,
        last_at=last,
        example=masked(first.text),
        logger=first.logger,
        level=first.level,
        exception=masked(first.exception),
    )


def _merge(counts: dict[str, int]) -> dict[str, str]:
    """Map each masked text to its template.

    Texts of one length and one first word form a bucket. The most frequent text of a bucket opens a
    group, each further one joins the most similar group or opens its own: no order of arrival matters.
    """
    buckets: dict[tuple[int, str], list[list[str]]] = defaultdict(list)
    for text in sorted(counts, key=lambda each: (-counts[each], each)):
        tokens = text.split(" ", _TOKENS_MAX)
        buckets[len(tokens), tokens[0]].append(tokens)
    result: dict[str, str] = {}
    for members in buckets.values():
        groups: list[_TokenGroup] = []
        for tokens in members:
            best = max(groups, key=lambda group: group.similarity(tokens), default=None)
            if best is None or not best.takes(tokens):
                best = _TokenGroup(list(tokens), [])
                groups.append(best)
            best.add(tokens)
        for group in groups:
            text = " ".join(group.pattern)
            result.update((" ".join(tokens), text) for tokens in group.members)
    return result


@dataclass(slots=True)
class _TokenGroup:
    pattern: list[str]
    members: list[list[str]]

    def similarity(self, tokens: list[str]) -> float:
        same = sum(mine == other for mine, other in zip(self.pattern, tokens, strict=True))
        return same / len(tokens)

    def takes(self, tokens: list[str]) -> bool:
        return len(tokens) > _FEW_TOKENS and self.similarity(tokens) >= _SIMILAR

    def add(self, tokens: list[str]) -> None:
        self.members.append(tokens)
        self.pattern = [
            mine if mine == other else _SLOT for mine, other in zip(self.pattern, tokens, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Novelty:
    """A template against the time before: ``kind`` new | surging | known | unknown, ``usual`` how many to expect.

    Unknown: what is usual is not known, or was seen for too short a time to call anything new.
    """

    template: Template
    kind: str
    usual: float


def compare(
    now: tuple[Template, ...], before: Iterable[Template], *, share: float, surge_factor: float = 3.0
) -> tuple[Novelty, ...]:
    """Say which templates are new or surging.

    ``share``: the length of the window divided by the length of the time before, so that counts compare.
    A template surges above ``surge_factor`` times its usual count, and from five on.
    """
    known = Counter[str]()
    for template in before:
        known[template.text] += template.count
    return tuple(_novelty(template, known, share, surge_factor) for template in now)


def uncompared(now: tuple[Template, ...]) -> tuple[Novelty, ...]:
    """Return the templates where nothing is known of the time before: none of them is new."""
    return tuple(Novelty(template, "unknown", 0.0) for template in now)


def _novelty(template: Template, known: Counter[str], share: float, factor: float) -> Novelty:
    usual = _count_of(template.text, known)
    if usual == 0:
        return Novelty(template, "new", 0.0)
    expected = usual * share
    surging = template.count >= 5 and template.count > factor * expected  # noqa: PLR2004 - see compare
    return Novelty(template, "surging" if surging else "known", expected)


def _count_of(text: str, known: Counter[str]) -> int:
    if text in known:
        return known[text]
    tokens = text.split(" ")
    return sum(count for other, count in known.items() if _same_kind(tokens, other.split(" ")))


def _same_kind(tokens: list[str], other: list[str]) -> bool:
    if len(tokens) != len(other) or tokens[0] != other[0]:
        return False
    same = sum(mine == theirs or _SLOT in (mine, theirs) for mine, theirs in zip(tokens, other, strict=True))
    return same == len(tokens) or (len(tokens) > _FEW_TOKENS and same / len(tokens) >= _SIMILAR)


def shortened(template: Template, limit: int = 160) -> Template:
    """Return the template with its text cut for display."""
    if len(template.text) <= limit:
        return template
    return replace(template, text=template.text[: limit - 1] + "…")
