"""The words of severity that alerts carry, and what each means on the desk's own scale.

Every team writes its own: ``critical``, ``P1``, ``emergency``, ``sev1``. ``severities`` of desk.yaml adds to this table
and overrides it. A word that stands in neither counts as Sev-2, and the incident says so: as Sev-3 a grave alert would
notify nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from typing import TypeVar
from unicodedata import normalize

from triage.masking import masked_where_cut
from triage.model import Severity, worst

UNKNOWN = Severity.SEV2
_LABELS = ("severity", "alertseverity", "severitylevel", "sev")
"""Labels that hold the severity, as ``plain``; the first that says something counts."""
_OTHERS = ("priority", "urgency", "criticality", "alertlevel", "level")
"""Labels that stand for the severity where there is none of those, as ``plain``; the first that has a word counts."""
_NO_SEVERITY = frozenset(
    {
        "",
        *"0123456789",
        "error",
        "err",
        "warn",
        "warning",
        "info",
        "debug",
        "notice",
        "trace",
        "none",
        "unknown",
        "normal",
    }
)
_NOISE = re.compile(r"[\s_.:#-]+")
_BETWEEN = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"\b(s|p|sev|severity|prio|priority)[\W_]*(?=\d)")
"""A number and what it counts are one word: ``sev-1 (page)`` has two."""
_NAMES = frozenset({"sev", "severity", "prio", "priority"})
"""What only says that a severity follows, as in ``severity: critical``."""

_LANGUAGES = {
    Severity.SEV1: "катастрофа 災害",
    Severity.SEV2: (
        "kritisch schwer schwerwiegend hoch dringend fehler critique eleve élevé elevee élevée grave haute haut urgente "
        "crítico critico crítica critica alto alta urgência kritiek hoog ernstig krytyczny wysoki критический критично "
        "высокий срочно 严重 重大 紧急 緊急 高 危急"
    ),
    Severity.SEV3: (
        "warnung mittel mittelschwer niedrig gering hinweis avertissement attention moyen moyenne faible basse bas mineur "
        "advertencia aviso atenção atencao atención medio média media bajo baja baixo leve waarschuwing laag "
        "ostrzeżenie niski предупреждение средний низкий информация "
        "警告 提示 注意 情報 信息 中 低 一般"
    ),
}
"""The same words as teams elsewhere write them."""
_TABLE = {
    Severity.SEV1: (
        "emergency emerg disaster fatal panic blocker catastrophic sev0 sev1 severity0 severity1 s0 s1 p0 p1 prio1 "
        "priority1 0 1"
    ),
    Severity.SEV2: (
        "critical crit page pager paging paged pageme pagerduty oncall wakeup immediate immediately alert "
        "high highest urgent major severe error err sev2 severity2 s2 p2 prio2 "
        "priority2 2"
    ),
    Severity.SEV3: (
        "warning warn medium moderate average minor low lowest trivial notice info information informational "
        "debug none ok normal unknown ticket sev3 sev4 sev5 severity3 severity4 severity5 s3 s4 s5 p3 p4 p5 prio3 prio4 "
        "priority3 priority4 priority5 3 4 5"
    ),
}
WORDS: Mapping[str, Severity] = {
    word: severity
    for table in (_LANGUAGES, _TABLE)
    for severity, words in table.items()
    for word in words.split()
}
PAGING = frozenset(
    {
        *("critical", "crit", "page", "pager", "paging", "paged", "pageme", "pagerduty"),
        *("oncall", "wakeup", "immediate", "immediately"),
    }
)
"""Words that ask for a person at once, whatever the desk's scale makes of them."""


_SHORT = 40
"""Characters of a word at the most that is remembered; what comes from outside may be of any length."""
T = TypeVar("T")


def _remembering(make: Callable[[str], T]) -> Callable[[str], T]:
    """Work out once what is asked of the same few words several times for each alert."""
    remembered = lru_cache(maxsize=512)(make)

    @wraps(make)
    def of(word: str) -> T:
        return remembered(word) if len(word) <= _SHORT else make(word)

    return of


@_remembering
def plain(word: str) -> str:
    """Return a word as the table has it: ``Sev-1``, ``SEV_1``, ``sev 1`` and its wide letters are ``sev1``."""
    return _NOISE.sub("", _folded(word))


def _folded(word: str) -> str:
    return (word if word.isascii() else normalize("NFKC", word)).casefold()


def meaning(word: str, table: Mapping[str, Severity] | None = None) -> Severity | None:
    """Return what a word of severity means; None where nobody knows. ``table``: the desk's own words, as ``plain``.

    Of several, such as ``P1 - critical``, the gravest counts, where each is known: ``not critical`` is none.
    """
    own = table or {}

    def one(key: str) -> Severity | None:
        return own.get(key) or WORDS.get(key)

    if (whole := one(plain(word))) is not None:
        return whole
    known = [one(part) for part in _parts(word)]
    found = [severity for severity in known if severity is not None]
    return worst(*found) if found and len(found) == len(known) else None


@_remembering
def _parts(word: str) -> tuple[str, ...]:
    parts = tuple(part for part in _BETWEEN.split(_NUMBERED.sub(r"\1", _folded(word))) if part)
    return tuple(part for part in parts if part not in _NAMES) or parts


def word_of(labels: Mapping[str, str], table: Mapping[str, Severity] | None = None) -> str:
    """Return the word of severity that an alert's labels carry; empty for none.

    The label is ``severity``, however it is written; else one that other systems have for it, where its value is such a
    word. A number there, or the level of a log line that a rule hands on, is none.
    """
    if plain(found := labels.get("severity", "")):
        return found
    written: dict[str, list[str]] = {}
    for name, value in labels.items():
        if plain(value):
            written.setdefault(plain(name), []).append(value)
    for name in _LABELS:
        if name in written:
            return _gravest(written[name], table)
    for name in _OTHERS:
        words = [one for one in written.get(name, ()) if plain(one) not in _NO_SEVERITY]
        if known := [one for one in words if meaning(one, table) is not None]:
            return _gravest(known, table)
    return ""


def _gravest(words: Sequence[str], table: Mapping[str, Severity] | None) -> str:
    """Return one of the words that labels of one name have, written in several ways: ``Priority`` and ``priority``."""
    return min(words, key=lambda word: (meaning(word, table) or UNKNOWN).rank)


def has_word(labels: Mapping[str, str], table: Mapping[str, Severity] | None = None) -> bool:
    """Whether an alert's labels ask for a severity at all."""
    return bool(word_of(labels, table))


def severity_of(labels: Mapping[str, str], table: Mapping[str, Severity] | None = None) -> Severity:
    """Return the severity that an alert's labels ask for; none at all asks for nothing."""
    word = word_of(labels, table)
    if not plain(word):
        return Severity.SEV3
    return meaning(word, table) or UNKNOWN


def is_paging(labels: Mapping[str, str], table: Mapping[str, Severity] | None = None) -> bool:
    """Whether an alert's label asks for a person at once."""
    word = word_of(labels, table)
    known = meaning(word, table)
    asks = plain(word) in PAGING or (known is not None and not PAGING.isdisjoint(_parts(word)))
    return asks or known is Severity.SEV1


def doubt(labels: Mapping[str, str], table: Mapping[str, Severity] | None = None) -> str:
    """Say that the word of severity is none we know; empty where it is, or there is none."""
    word = word_of(labels, table)
    if not plain(word) or meaning(word, table) is not None:
        return ""
    return f"severity {masked_where_cut(word, 40)!r} is not in `severities` of desk.yaml: taken for {UNKNOWN}"
