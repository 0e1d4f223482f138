"""Which kinds of secrets can be in a text at all: for most texts none, and then nothing else is looked at.

The search is done by the regex engine of Rust that pydantic brings. It looks for all words in one pass, while Python's
``in`` walks the text once for each, and Python's ``re`` tries each at every character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic_core import SchemaValidator, core_schema

from triage.masking.model import SecretKind, Text


class Prefilter:
    """Tells whether one of some kinds can be in a text; it may say so of one that holds none."""

    __slots__ = ("_lower", "_whole")

    def __init__(self, kinds: Iterable[SecretKind]) -> None:
        lower: list[str] = []
        whole: list[str] = []
        for kind in kinds:
            lower += map(re.escape, kind.needles)
            if kind.seen or not kind.needles:
                (lower if kind.folded else whole).append(kind.seen)
        self._lower, self._whole = _searcher(lower), _searcher(whole)

    def passes(self, text: Text) -> bool:
        """Tell so of a text without lone surrogates (see ``encodable``)."""
        return (self._lower is not None and self._lower.isinstance_python(text.lower)) or (
            self._whole is not None and self._whole.isinstance_python(text.whole)
        )


def _searcher(patterns: Sequence[str]) -> SchemaValidator | None:
    if not patterns:
        return None
    return SchemaValidator(core_schema.str_schema(pattern="|".join(patterns), regex_engine="rust-regex"))


def encodable(text: Text) -> Text:
    """Return the text with each lone surrogate replaced: in a text that holds one, Rust finds nothing."""
    if text.whole.isascii():
        return text
    return Text(*(each.encode("utf-8", "replace").decode() for each in (text.whole, text.lower)))
