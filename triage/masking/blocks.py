"""Secrets of several lines or words: private keys, and recovery phrases."""

from __future__ import annotations

import re

from triage.masking.mnemonic_words import WORDS
from triage.masking.model import MASK, SecretKind, SecretMatch, Span, Text, hide_match

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BASE64_WORDS = re.compile(r"[A-Za-z0-9+/= \t]*")
_LINE_ENDS = str.maketrans("\r\n", "  ")
_BEFORE_AN_END = frozenset(" \t\nn")
MOST = 20_000
"""Characters before the end of a key that are looked at."""
_PUTTY = re.compile(r"private-lines: \d{1,4}\r?\n(?P<rest>(?:[a-z0-9+/=]{1,80}(?:\r?\n|$))+)")
_WORD = re.compile(r"(?:\\[nrt])?(?P<word>[a-z]{3,})")
_BETWEEN = r"(?:\\[nrt](?=[a-z])|w(?:ord)?[ _#-]?(?=\d{1,2}[^a-z])|[^a-z]){1,16}+"
"""Between two words of a phrase: no letters, but escapes of a line's end, and the names of ``w1=…`` and ``word 1: …``."""
_PHRASE = re.compile(rf"(?<![a-z])(?:\\\\[nrt])?[a-z]{{3,8}}+(?:{_BETWEEN}[a-z]{{3,8}}+(?![a-z])){{11,59}}+")
"""At the most 60 words: what is found is looked for again behind each piece that another kind hides."""
FEWEST = 12
"""Words of the shortest recovery phrase."""


def _private_key(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide from the first line to the last; to the end of the text where the last is not there."""
    end = _END.search(text.whole, match.end())
    until = end.end() if end is not None else len(text.whole)
    return SecretMatch(until, (Span(match.start(), until, "-----PRIVATE KEY " + MASK),))


def _tail(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide the lines before an end whose beginning was cut off."""
    before = text.whole[max(0, match.start() - MOST) : match.start()].replace("\\n", "  ")
    found = _BASE64_WORDS.match(before[::-1].translate(_LINE_ENDS))
    start = match.start() - (found.end() if found is not None else 0)
    cut = text.whole[start : match.start()]
    if not cut.strip() or cut[-1] not in _BEFORE_AN_END:
        return SecretMatch(match.end())
    start += len(cut) - len(cut.lstrip())
    return SecretMatch(match.end(), (Span(start, match.start(), MASK + " "),))


def _phrase(text: Text, match: re.Match[str]) -> SecretMatch:
    """Hide 12 and more words of the standard's list in a row."""
    spans: list[Span] = []
    row: list[re.Match[str]] = []

    def close() -> None:
        if len(row) >= FEWEST:
            spans.append(Span(row[0].start("word"), row[-1].end()))
        row.clear()

    for word in _WORD.finditer(text.lower, match.start(), match.end()):
        if word["word"] in WORDS:
            row.append(word)
        else:
            close()
    # A row may go on behind the last word that was looked at: the next look begins with it.
    on = row[0].start() if row and len(row) < FEWEST and row[0].start() > match.start() else match.end()
    close()
    return SecretMatch(on, tuple(spans))


KINDS = (
    SecretKind("private key", ("private key",), _BEGIN, _private_key),
    SecretKind("private lines of PuTTY", ("private-lines",), _PUTTY, hide_match("rest"), folded=True),
    SecretKind("end of a private key", ("private key",), _END, _tail),
    SecretKind(
        "recovery phrase",
        (),
        _PHRASE,
        _phrase,
        folded=True,
        seen="(?:[a-z]{3,9}[^a-z]+(?:[nrt]?w(?:ord)?[^a-z]+)?){11}[a-z]{3}",
    ),
)
