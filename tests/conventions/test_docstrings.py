"""A docstring names the errors that a caller has to expect, as they are called."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "bot", "demo", "handlers", "schedules", "tools", "triage")
NAMED = re.compile(r"\bRaises ((?:an? )?`*[A-Z]\w+`*(?:(?:, and |, or |, | and | or )`*[A-Z]\w+`*)*)")
CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


def unknown_errors(text: str, known: set[str]) -> list[str]:
    """Return the errors after ``Raises`` that are neither known nor named by the module's own code."""
    words = [word for found in NAMED.finditer(text) for word in re.findall(r"[A-Z]\w+", found[1])]
    return [word for word in words if word not in known and text.count(word) == words.count(word)]


def test_docstrings_name_errors_that_there_are() -> None:
    """Each is of Python, of the module's own package, or of ``triage``, which has the tree that all share."""
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    classes = {
        package: {
            name
            for path, text in texts.items()
            if path.startswith(f"{package}/")
            for name in CLASS.findall(text)
        }
        for package in PACKAGES
    }
    shared = {*dir(builtins), *classes["triage"]}
    found = {
        path: unknown
        for path, text in texts.items()
        if (unknown := unknown_errors(text, shared | classes[path.split("/")[0]]))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ('"""Read it. Raises Broken, TimeoutError."""', ["Broken"]),
        ('"""Raises Refused, ``Gone``, or what the unit raised."""', ["Gone"]),
        ('from yaml import YAMLError\n"""Raises YAMLError, and ValueError for no number."""', []),
    ],
)
def test_the_search_finds_what_it_is_for(text: str, unknown: list[str]) -> None:
    """An error that was renamed, and none that the module imports."""
    assert unknown_errors(text, {*dir(builtins), "Refused"}) == unknown
