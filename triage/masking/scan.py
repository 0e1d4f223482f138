"""One pass over a text: at each place the first kind of secret that begins there decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from triage.masking import addresses, blocks, entries, formats, languages, options, people, tokens
from triage.masking.model import SecretKind, Span, Text
from triage.masking.named import NAMED
from triage.masking.plain_view import plain_view
from triage.masking.prefilter import Prefilter, encodable

KINDS: tuple[SecretKind, ...] = (
    *blocks.KINDS,
    *addresses.KINDS,
    *formats.KINDS,
    entries.ENTRY,
    *people.KINDS,
    *languages.KINDS,
    NAMED,
    *options.KINDS,
    *tokens.KINDS,
)
"""Every kind; where two begin at one place, the first decides."""

_TOGETHER = 8
_ANY = Prefilter(KINDS)
_GROUPS = [
    (Prefilter(kinds), [(kind, Prefilter([kind])) for kind in kinds])
    for kinds in (KINDS[at : at + _TOGETHER] for at in range(0, len(KINDS), _TOGETHER))
]
"""The kinds by eights: a text in which something was found is not asked for each of them."""

_SAME_LENGTH = str.maketrans({"\u017f": "s", "\u212a": "k", "\u0130": "i"})
"""What ignoring case takes for an ASCII letter, and the one letter that gets longer in lower case."""


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_SAME_LENGTH).lower()


def masked(text: str) -> str:
    """Return the text with what looks like a secret replaced by ``***``."""
    view = plain_view(text)
    both = Text(view.text, _lower(view.text))
    kinds = _kinds_in(encodable(both))
    spans = _spans(both, kinds) if kinds else []
    if not spans:
        return text
    return _replaced(text, [Span(view.start_of(one.start), view.end_of(one.end), one.shown) for one in spans])


def _kinds_in(text: Text) -> list[SecretKind]:
    """Return the kinds that can be in a text: none for most lines of a log."""
    if not _ANY.passes(text):
        return []
    return [
        kind
        for group, members in _GROUPS
        if group.passes(text)
        for kind, prefilter in members
        if prefilter.passes(text)
    ]


_BETWEEN = "\nx\n"
"""Between texts that are looked at together: a phrase of words does not go on behind a word of one letter."""


def free_of_secrets(texts: Iterable[str]) -> bool:
    """Tell, with one look at all of them, that texts hold no secret. If not, some may, and each is to be masked."""
    view = plain_view(_BETWEEN.join(texts))
    return not view.pieces and not _ANY.passes(encodable(Text(view.text, _lower(view.text))))


def masked_and_cut(text: str, limit: int, *, read_at_most: int = 20_000) -> str:
    """Return at most ``limit`` characters of the masked text: no piece of a secret is left where it was cut.

    Of a text longer than ``read_at_most`` the rest is not looked at; its last word, perhaps the half of a secret, goes.
    """
    if len(text) > read_at_most:
        head = text[:read_at_most]
        end = max(head.rfind(" "), head.rfind("\n"), read_at_most - 2_000)
        text = head[:end]
    return masked(text)[:limit]


def masked_where_cut(text: str, limit: int) -> str:
    """Return a text that fits as it is, and of a longer one at most ``limit`` characters, masked before it was cut.

    For what is masked when it is shown: of a secret that was cut in two, the half would not be known.
    """
    return text if len(text) <= limit else masked_and_cut(text, limit)


@dataclass(slots=True)
class _Finder:
    """Where a kind's next place is."""

    kind: SecretKind
    text: str
    next: re.Match[str] | None

    def move(self, at: int) -> None:
        """Search on from ``at``."""
        self.next = self.kind.pattern.search(self.text, at)


def _spans(text: Text, kinds: list[SecretKind]) -> list[Span]:
    """Return the pieces to hide, in order and apart from each other."""
    found: list[Span] = []
    ahead: list[Span] = []  # of those found, the ones that end behind the place that is looked at
    decided = -1  # where the last match began that had something to hide
    finders = [_Finder(kind, text.lower if kind.folded else text.whole, None) for kind in kinds]
    for finder in finders:
        finder.move(0)
    finders = [finder for finder in finders if finder.next is not None]
    while finders:
        first = min(finders, key=_start)
        match = first.next
        if match is None:
            finders.remove(first)
            continue
        ahead = [span for span in ahead if span.end > match.start()]
        hidden = [span.end for span in ahead if span.start <= match.start() or match.start() == decided]
        if hidden:
            beyond = _beyond(text, first.kind, match, max(hidden))
            found += beyond
            ahead += beyond
            first.move(max(hidden))
            continue
        # Between a name and its value another secret may stand: what is not hidden is looked at by the other kinds.
        look = first.kind.look(text, match)
        decided = match.start() if look.spans else decided
        found += look.spans
        ahead += look.spans
        first.move(max(look.resume, match.start() + 1))
    return _apart(found)


_LONGEST_NAME = 100


def _beyond(text: Text, kind: SecretKind, match: re.Match[str], end: int) -> tuple[Span, ...]:
    """Return the value of a name that another kind hides: ``AUTH LOGIN api_secret: …`` hides the name as its value."""
    if kind is not NAMED or end - match.start() > _LONGEST_NAME:
        return ()
    return tuple(span for span in kind.look(text, match).spans if span.start >= end)


def _apart(found: list[Span]) -> list[Span]:
    """Return spans in order; of two that overlap the first keeps what both hide."""
    spans: list[Span] = []
    hidden = 0
    for span in sorted(found, key=lambda one: one.start):
        if span.end > hidden:
            spans.append(replace(span, start=max(span.start, hidden)))
            hidden = span.end
    return spans


def _start(finder: _Finder) -> int:
    return finder.next.start() if finder.next is not None else -1


def _replaced(text: str, spans: list[Span]) -> str:
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], span.shown)
        at = span.end
    return "".join([*parts, text[at:]])
