"""The `markdown` block: the part of Markdown that Slack renders, as safe HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from demo.slack.page.text import Placeholders, emoji, link

if TYPE_CHECKING:
    from collections.abc import Iterator

_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>[^)\s]+)\)"
    r"|(?P<bare>https?://[^\s<>()*`]*[^\s<>()*`.,;:!?])"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+-]+):(?![\w:])"
)
_STYLES = (
    (re.compile(r"(?<!\w)(?P<mark>\*\*|__)(?=\S)(?P<inner>.+?)(?<=\S)(?P=mark)(?!\w)"), "strong"),
    (re.compile(r"(?<![\w*])(?P<mark>[*_])(?=\S)(?P<inner>[^*_]+?)(?<=\S)(?P=mark)(?![\w*])"), "em"),
    (re.compile(r"~~(?=\S)(?P<inner>.+?)(?<=\S)~~"), "s"),
)
_ITEM = re.compile(r"(\s*)(?:([-*+])|(\d+)[.)])\s+(.*)")
_ROW = re.compile(r"\s*\|(.+)\|\s*")
_RULE = re.compile(r"\s*\|?[\s:|-]+\|[\s:|-]*")


_LIST_ROW = Markup('<li class="indent-{}"><span class="mark">{}</span><span>{}</span></li>')
_TABLE = Markup(
    '<div class="scroll"><table class="grid"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
)


def markdown(source: str) -> Markup:
    """Return Markdown as HTML: headings, lists, tables, quotes, fences, rules, and inline styles."""
    return Markup().join(_blocks(re.sub("[\U000f0000-\U000ffffd]", "\ufffd", source).split("\n")))


def inline(text: str) -> Markup:
    """Return one run of text with its inline marks."""
    held = Placeholders()

    def token(match: re.Match[str]) -> str:
        if match["code"] is not None:
            return held.keep(Markup("<code>{}</code>").format(match["code"]))
        if match["label"] is not None:
            return held.keep(link(match["url"], match["label"]))
        if match["bare"] is not None:
            return held.keep(link(match["bare"]))
        piece = emoji(match["emoji"])
        return match.group() if piece is None else held.keep(piece)

    escaped = str(escape(_INLINE.sub(token, text)))
    for pattern, tag in _STYLES:
        escaped = pattern.sub(rf"<{tag}>\g<inner></{tag}>", escaped)
    return held.put_back(escaped)


def _blocks(lines: list[str]) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.lstrip().startswith("```"):
            end = next(
                (n for n in range(at + 1, len(lines)) if lines[n].lstrip().startswith("```")), len(lines)
            )
            yield Markup("<pre>{}</pre>").format("\n".join(lines[at + 1 : end]))
            at = end + 1
        elif heading := re.match(r"(#{1,6})\s+(.*)", line):
            yield Markup('<p class="h{}">{}</p>').format(len(heading[1]), inline(heading[2]))
            at += 1
        elif re.fullmatch(r"\s*([-*_])(\s*\1){2,}\s*", line):
            yield Markup("<hr>")
            at += 1
        else:
            end = _end_of(lines, at)
            yield _run(lines[at:end])
            at = end


def _kind(lines: list[str], at: int) -> str:
    line = lines[at]
    if not line.strip() or line.lstrip().startswith(("```", "#")):
        return ""
    if line.lstrip().startswith(">"):
        return "quote"
    if _ITEM.fullmatch(line):
        return "list"
    return "table" if _ROW.fullmatch(line) else "text"


def _end_of(lines: list[str], at: int) -> int:
    """Return where the run of lines of one kind that begins at `at` ends."""
    kind = _kind(lines, at) or "text"
    end = at + 1
    while end < len(lines) and _kind(lines, end) == kind:
        end += 1
    return end


def _run(lines: list[str]) -> Markup:
    kind = _kind(lines, 0)
    if kind == "quote":
        inner = [re.sub(r"^\s*>\s?", "", line) for line in lines]
        return Markup("<blockquote>{}</blockquote>").format(Markup("<br>").join(map(inline, inner)))
    if kind == "list":
        return _list(lines)
    if kind == "table" and len(lines) > 1 and _RULE.fullmatch(lines[1]):
        return _table(lines)
    return Markup("<p>{}</p>").format(Markup("<br>").join(map(inline, lines)))


def _list(lines: list[str]) -> Markup:
    pieces = []
    for line in lines:
        match = _ITEM.fullmatch(line)
        if match is None:
            continue
        indent, mark = min(len(match[1]) // 2, 8), f"{match[3]}." if match[3] else "•"
        item = inline(_box(match[4]))
        pieces.append(_LIST_ROW.format(indent, mark, item))
    return Markup('<ul class="marked">{}</ul>').format(Markup().join(pieces))


def _box(item: str) -> str:
    """Show a task-list box as a character."""
    return re.sub(r"^\[( |x|X)\]\s+", lambda m: "☐ " if m[1] == " " else "☑ ", item)


def _table(lines: list[str]) -> Markup:
    rows = [[inline(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
    head = Markup().join(Markup("<th>{}</th>").format(cell) for cell in rows[0])
    body = Markup().join(
        Markup("<tr>{}</tr>").format(Markup().join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows[2:]
    )
    return _TABLE.format(head, body)
