"""Which kinds of secrets can be in a text at all: for most texts none, and then nothing else is looked at.

The search is done by the regex engine of Rust that pydantic brings. It looks for all words in one pass, while Python's
``in`` walks the text once for each, and Python's ``re`` tries each at every character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from pydantic_core import SchemaValidator, core_schema

from triage.masking.model import SecretKind, Text


class Prefilter:
    """Tells whether one of some kinds can be in a text; it may say so of one that holds none.

    Its search is made when it is first asked: most services never see most kinds, and all searches weigh 2 MB.
    """

    def __init__(self, kinds: Iterable[SecretKind]) -> None:
        self._kinds = tuple(kinds)

    def passes(self, text: Text) -> bool:
        """Tell so of a text without lone surrogates (see ``encodable``)."""
        lower, whole = self._searchers
        return (lower is not None and lower.isinstance_python(text.lower)) or (
            whole is not None and whole.isinstance_python(text.whole)
        )

    @cached_property
    def _searchers(self) -> tuple[SchemaValidator | None, SchemaValidator | None]:
        """What looks through ``Text.lower``, and what through ``Text.whole``."""
        lower: list[str] = []
        whole: list[str] = []
        for kind in self._kinds:
            lower += map(re.escape, kind.needles)
            if kind.seen or not kind.needles:
                (lower if kind.folded else whole).append(kind.seen)
        return _searcher(lower), _searcher(whole)


def _searcher(patterns: Sequence[str]) -> SchemaValidator | None:
    if not patterns:
        return None
    return SchemaValidator(core_schema.str_schema(pattern="|".join(patterns), regex_engine="rust-regex"))


def encodable(text: Text) -> Text:
    """Return the text with each lone surrogate replaced: in a text that holds one, Rust finds nothing."""
    if text.whole.isascii():
        return text
    return Text(*(each.encode("utf-8", "replace").decode() for each in (text.whole, text.lower)))
