"""The words of LogQL, with the places and names that Loki's own error messages use."""

import re
from dataclasses import dataclass

from demo.servers.go_text import parse_duration, unquote

MAX_QUERY = 131_072
FUNCTIONS = frozenset(
    re.findall(
        r"\w+",
        """
        rate rate_counter count_over_time bytes_rate bytes_over_time avg_over_time sum_over_time min_over_time
        max_over_time stdvar_over_time stddev_over_time quantile_over_time first_over_time last_over_time
        absent_over_time vector sum avg max min count stddev stdvar bottomk topk sort sort_desc label_replace
        """,
    )
)
KEYWORDS = frozenset(
    re.findall(r"\w+", "by without bool offset on ignoring group_left group_right or and unless unwrap")
)
_TWO = ("|=", "|~", "!=", "!~", "=~", "==", ">=", "<=")
_ONE = frozenset("{}(),=|<>+-*/%^.")
_SPACE = re.compile(r"\s+|#[^\n]*")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+(?!\w)")
_WORD = re.compile(r"[^\W\d]\w*")
_FUNCTION_FOLLOWS = re.compile(r"\s*(?:\(|(?:by|without)\s*\()")


class ParseError(Exception):
    """A query Loki would refuse; `str()` is Loki's body. Line and column 0: the error has no place."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        place = f" at line {line}, col {column}:" if line or column else " :"
        super().__init__(f"parse error{place} {message}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word: `name` as errors give it, `value` its meaning, `error` what is wrong with it."""

    name: str
    value: str
    line: int
    column: int
    is_function: bool = False
    error: str | None = None


def tokenize(text: str) -> list[Token]:
    """Split a query into words; the last is `$end`. A bad word ends the list and carries its error."""
    if len(text) >= MAX_QUERY:
        raise ParseError(f"input size too long ({len(text)} > {MAX_QUERY})")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        if space is not None:
            at = space.end()
            continue
        token, at = _word(text, at)
        tokens.append(token)
        if token.error is not None:
            return tokens
    line, column = _place(text, len(text))
    tokens.append(Token("$end", "", *((line, column) if tokens else (0, 0))))
    return tokens


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _word(text: str, at: int) -> tuple[Token, int]:
    line, column = _place(text, at)
    char = text[at]
    if char in '"`':
        return _string(text, at, line, column)
    if char == "[":
        return _range(text, at, column)
    for pattern, name in ((_DURATION, "DURATION"), (_NUMBER, "NUMBER"), (_WORD, "IDENTIFIER")):
        found = pattern.match(text, at)
        if found is not None:
            return _named(text, found, name, line, column), found.end()
    # Loki's scanner forgets the line once it has looked at the second character.
    if text[at : at + 2] in _TWO:
        return Token(text[at : at + 2], "", 0, column), at + 2
    if char in _ONE:
        return Token(char, "", line, column), at + 1
    return Token("IDENTIFIER", char, line, column), at + 1


def _named(text: str, found: re.Match[str], name: str, line: int, column: int) -> Token:
    word = found.group()
    if name == "DURATION":
        return Token(name, str(parse_duration(word)), line, column)
    if name == "NUMBER":
        return Token(name, word, line, column)
    lower = word.lower()
    if lower in FUNCTIONS and _FUNCTION_FOLLOWS.match(text, found.end()):
        return Token(lower.upper(), lower, line, column, is_function=True)
    if lower in KEYWORDS:
        return Token(lower, word, line, column)
    return Token(name, word, line, column)


def _string(text: str, at: int, line: int, column: int) -> tuple[Token, int]:
    found = _STRING.match(text, at)
    if found is None:
        return Token("STRING", "", line, column, error="literal not terminated"), len(text)
    try:
        return Token("STRING", unquote(found.group()), line, column), found.end()
    except ValueError as error:
        return Token("STRING", "", line, column, error=str(error)), found.end()


def _range(text: str, at: int, column: int) -> tuple[Token, int]:
    close = text.find("]", at)
    if close < 0:
        return Token("RANGE", "", 0, column, error="missing closing ']' in duration"), len(text)
    try:
        return Token("RANGE", str(parse_duration(text[at + 1 : close])), 0, column), close + 1
    except ValueError as error:
        return Token("RANGE", "", 0, column, error=str(error)), close + 1
