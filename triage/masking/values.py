"""Where the value behind a name begins and ends, whatever quotes, brackets and separators are around it."""

from __future__ import annotations

import re

MOST = 20_000
"""Characters of one value that are looked at."""

_OPENING = re.compile(r"(?:[A-Za-z_][\w.]{0,40}\(\s?)?[bBuUrRfF]{0,2}(?P<quote>\\{0,8}[\"'`])")
_BRACKET = re.compile(r"[\[{(]")
_NESTED = re.compile(r"[\[\]{}()]")
_ENDS = r"(?=[\s,;:&|}\])>]|\\[nrt]|$)"
_CLOSING = {quote: re.compile(rf"(?<!\\)(?P<back>\\*){quote}{_ENDS}") for quote in "\"'`"}
_NEXT_NAME = r"[ \t]?[\"'({\[]*[A-Za-z_][\w.-]{0,60}(?:=(?!=|\s|$)|:[ \t]|[\"'][ \t]?:|[\"'],[ \t]?[\"'])"
_STOP = re.compile(rf"[\"'`]{_ENDS}|</|\s|[,;&]{_NEXT_NAME}|[)}}\]][,;]?(?=\s|$)")
_STOP_LINE = re.compile(
    rf"[\"'`][ \t]?[,}}\])]|</|[\r\n]|[,;]?[ \t]{{1,8}}[\"']?[A-Za-z_][\w.-]{{0,60}}(?:=(?!=|\s|$)|:\s)|[,;&]{_NEXT_NAME}"
)
_STOP_HEADER = re.compile(r"[\r\n]|,[ \t]?[\"']?[A-Za-z][A-Za-z-]{1,40}[\"']?: ")
_REFERENCE = re.compile(r"\$\{[^}\s]{0,80}\}|\{\{[^}\n]{0,80}\}\}")
_LAST_QUOTE = re.compile(
    r"(?:[^\r\n#=:]|[#=:](?!\s))*(?P<quote>[\"'`])[ \t,;)}\]]*(?:#[^\r\n]*)?(?=[\r\n]|$)"
)
_ITEMS = re.compile(r"\r?\n[ \t]*-[ \t]+[^\n]*(?:\n[ \t]*-[ \t]+[^\n]*)*")
_BLOCK = re.compile(r"(?:[!&][\w!:./-]{1,40}[ \t]+){0,2}[|>][+-]?[ \t]*\r?\n(?:[ \t]+[^\n]*(?:\n|$)|\r?\n)++")
_TYPE = re.compile(
    r"(?:(?:typing\.)?Optional\[)?(?:str|bytes|string|String|SecretStr)\]?(?:[ \t]*\|[ \t]*(?:None|null|undefined))?"
    r"(?:[ \t]*=(?!=)[ \t]*|(?=[ \t]*(?:[,)\r\n;]|$)))"
)
_LENGTH = re.compile(r"string\(\d{1,6}\)[ \t]+(?=\")")
"""How PHP dumps a text."""
_DEFAULT = re.compile(
    r"(?:[\"']{2}|[A-Za-z_$][\w.]{0,80}(?:[(\[][^()\[\]\n]{0,120}[)\]])?)"
    r"[ \t]+(?:or|\|\||\?\?|if[ \t][^\n\"']{1,80}[ \t]else)[ \t]+(?=[bBuUrRfF]?[\"'])"
    r"|[A-Za-z_][\w.]{0,80}\([ \t]?[\"'][\w.-]{1,80}[\"'][ \t]?,[ \t]?(?:default[ \t]?=[ \t]?)?(?=[bBuUrRfF]?[\"'])"
)
_LOOKUP = re.compile(
    r"(?:(?:os\.)?(?:getenv|environ(?:\.get)?)[(\[][ \t]?[\"'][A-Za-z_]\w{0,80}[\"'][ \t]?[)\]]"
    r"|process\.env\.[A-Za-z_]\w{0,80})(?=[\s,;)]|$)"
)
_TRAILING = ")]}>,;.'\"`"


def default_at(text: str, at: int) -> int:
    """Return where the value begins behind a type or what is asked first: ``str = '…'``, ``None or '…'``."""
    for skipped in (_TYPE, _LENGTH, _DEFAULT):
        found = skipped.match(text, at)
        at = found.end() if found is not None else at
    return at


def is_lookup(text: str, at: int) -> bool:
    """Tell whether a program only asks its environment there: the value is somewhere else."""
    return _LOOKUP.match(text, at) is not None


def quoted(text: str, at: int, *, over_lines: bool, most: int = MOST) -> tuple[int, int] | None:
    """Return the content of the quotes that open at ``at``; None where none do.

    A quote closes only where a delimiter follows. One that never closes holds the rest of its line, or, where it may
    run ``over_lines``, everything to the quote that closes it. ``most``: characters that are looked at.
    """
    opened = _OPENING.match(text, at)
    if opened is None:
        return None
    quote, start = opened["quote"], opened.end()
    if quote in {'"', "'"} and text.startswith(
        quote * 2, start
    ):  # of TOML and Python: three of them hold lines
        end = text.find(quote * 3, start + 2, start + most)
        return start + 2, end if end >= 0 else min(len(text), start + most)
    line_end = _end_of_line(text, start, most)
    for match in _CLOSING[quote[-1]].finditer(text, start, min(len(text), start + most)):
        crossed = match.start() > line_end
        if crossed and not over_lines:
            break
        # In a text that was quoted again the inner quotes carry backslashes, as many as the one that opened.
        if len(match["back"]) == len(quote) - 1 or (len(quote) == 1 and len(match["back"]) % 2 == 0):
            end = match.start() + (len(match["back"]) - len(quote) + 1)
            return start, _last_quote(text, end, quote[-1]) if over_lines and not crossed else end
    return start, line_end


def _last_quote(text: str, end: int, quote: str) -> int:
    """Return the place of the quote at the end of the line (``"a "b" c"`` has others inside), else ``end``."""
    last = _LAST_QUOTE.match(text, end + 1)
    return last.start("quote") if last is not None and last["quote"] == quote else end


def bracketed(text: str, at: int) -> tuple[int, int] | None:
    """Return what is between the brackets that open at ``at``; None where none do."""
    if _BRACKET.match(text, at) is None:
        return None
    depth = 0
    for match in _NESTED.finditer(text, at, min(len(text), at + MOST)):
        depth += 1 if match[0] in "[{(" else -1
        if depth == 0:
            return at + 1, match.start()
    return at + 1, _end_of_line(text, at)


def block(text: str, at: int) -> tuple[int, int] | None:
    """Return the indented lines of a YAML block that begins at ``at``; None where none does."""
    match = _BLOCK.match(text, at)
    return None if match is None else (at, at + len(match[0].rstrip()))


def items(text: str, at: int) -> tuple[int, int] | None:
    """Return the lines of a YAML list that begins below ``at``; None where none does."""
    match = _ITEMS.match(text, at)
    return None if match is None else (at, at + len(match[0].rstrip()))


def bare(
    text: str, at: int, *, whole_line: bool, header: bool, enclosing: str, most: int = MOST
) -> tuple[int, int]:
    """Return a value without quotes: a word, or (``whole_line``) the words to the next name or the line's end.

    ``enclosing`` is the quote around name and value both (``-H 'X-Api-Key: v'``), empty where there is none.
    """
    end = min(len(text), at + most)
    if enclosing:
        closing = _CLOSING[enclosing].search(text, at, _end_of_line(text, at))
        if closing is not None:
            return at, closing.start() + len(closing["back"])
    stop = _STOP_HEADER if header else _STOP_LINE if whole_line else _STOP
    reference = _REFERENCE.match(text, at)
    found = stop.search(text, at if reference is None else reference.end(), end)
    until = found.start() if found is not None else end
    kept = text[at:until].rstrip(" \t" if header or reference is not None else " \t" + _TRAILING)
    return at, at + len(kept) if kept else until


def _end_of_line(text: str, at: int, most: int = MOST) -> int:
    end = min(len(text), at + most)
    found = text.find("\n", at, end)
    return end if found < 0 else found - (text[found - 1 : found] == "\r" and found > at)
