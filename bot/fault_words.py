"""A fault of the settings or of desk.yaml in words of who wrote the file, not of the library that found it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from pydantic_core import ErrorDetails
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from triage.desk_sections.names import NAME_PATTERN

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "int_from_float": "is no whole number",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "takes at most {max_length} characters",
    "string_type": "is no text: put it in quotes",
    "string_pattern_mismatch": "does not look as it must ({pattern})",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "finite_number": "must be a finite number",
    "invalid_key": "is no key: a key is a word",
    "extra_forbidden": "is not a key there: look for a typing error in deploy/desk.example.yaml",
    "unexpected_keyword_argument": "is not a key there: look for a typing error in deploy/desk.example.yaml",
}
_KEYS = frozenset({"missing", "extra_forbidden", "unexpected_keyword_argument"})
"""Faults of a key: what it holds is another matter."""
_TYPOGRAPHIC = re.compile("[“”„‘’‚«»].*[“”‘’«»]", re.DOTALL)  # noqa: RUF001 - what phones type is meant
_YAML_WORDS = (
    ("'\\t'", "a tab; indent with spaces"),
    ("found another document", "a second document begins; keep one, and take the line --- away"),
    ("found undefined alias", "what begins with * must stand in quotes, as '*/30 * * * *' does"),
    ("could not determine a constructor for the tag", "a tag (!…) is not read; write the value itself"),
    (
        "mapping values are not allowed",
        "a second colon; put a text with a colon in quotes, or mend the indentation",
    ),
)
_SECTIONS = ("dict_", "mapping_", "model_", "dataclass_")
_FAMILIES = (
    (("int_", "float_", "decimal_"), "is no number"),
    (("bool_",), "is neither true nor false"),
    (("date_", "datetime_"), "is no date; write for instance 2026-02-28"),
    (("path_",), "is no path; write a folder, for instance ../data"),
    (("time_",), "is no time; write two digits each, for instance 09:00"),
    (("list_", "tuple_", "set_", "frozen_set_"), "is no list; write it as [one, two]"),
    (_SECTIONS, "holds no keys; write it as key: value"),
)


def fault_of(one: ErrorDetails, *, upper: bool) -> tuple[str, str]:
    """Return where one fault is (``upper``: as a setting is written) and what is wrong with it."""
    where = ".".join(str(part) for part in one["loc"] if part != "[key]")
    reason = _reason(one)
    if part := part_named(one):
        where, reason = f"{where}.{part}".lstrip("."), reason.removeprefix(f"{part}: ")
    return where.upper() if upper else where, reason


def part_named(one: ErrorDetails) -> str:
    """Return the key that a fault of a whole part names first, as "bots: bot1 named more than once" does; else nothing."""
    name, colon, _ = _reason(one).partition(": ")
    return name if one["type"] == "value_error" and colon and name.isidentifier() else ""


def _reason(one: ErrorDetails) -> str:
    kind, found = one["type"], dict[str, Any](one.get("ctx") or {})
    context = {name: f"{value:g}" if isinstance(value, float) else value for name, value in found.items()}
    given = one.get("input", "")
    if isinstance(given, str) and _TYPOGRAPHIC.fullmatch(given) and kind not in _KEYS:
        return "stands in typographic quotes (“…”): write plain ones, or none"
    if isinstance(given, float) and not isfinite(given):
        return _WORDS["finite_number"]
    if given is None and kind.startswith(_SECTIONS):
        return "is empty: give it keys, or leave it out"
    if context.get("pattern") == NAME_PATTERN:
        return "is no name: letters, digits, _, . and -, at most 63 characters"
    if kind in _WORDS:
        return _WORDS[kind].format_map(context)
    words = next((words for begins, words in _FAMILIES if kind.startswith(begins)), "")
    return words or one["msg"].removeprefix("Value error, ")


def yaml_fault(error: Exception) -> str:
    """Return where a file is no YAML and what to look at there."""
    if isinstance(error, ReaderError):
        return f"is no YAML: it holds a control character ({error.character!r}); take it out"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return f"is no YAML: {' '.join(str(error).split())}"
    mark = error.problem_mark
    place, problem = f"line {mark.line + 1}, column {mark.column + 1}", str(error.problem)
    words = next((words for found, words in _YAML_WORDS if found in problem), "")
    return f"is no YAML: {place}: {words or f'{problem}; look at the brackets, colons and quotes before it'}"


__all__ = ["fault_of", "part_named", "yaml_fault"]
