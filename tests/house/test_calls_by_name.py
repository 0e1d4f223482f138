"""A dataclass with many fields is made by their names: five values in a row say nothing of what each of them is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "bot", "demo", "handlers", "schedules", "tests", "tools", "triage")
MOST = 4
"""So many values may stand in a row without their names."""


def trees() -> dict[str, ast.Module]:
    """Return every module by its path."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def dataclasses_of(modules: dict[str, ast.Module]) -> set[str]:
    """Return the names of all dataclasses."""
    return {
        node.name
        for tree in modules.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list)
    }


def in_a_row(tree: ast.Module, names: set[str]) -> Iterator[ast.Call]:
    """Yield the calls of these classes with more than ``MOST`` values without a name; ``*rows`` say what they are."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(isinstance(each, ast.Starred) for each in node.args):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in names and len(node.args) > MOST:
            yield node


def test_what_has_many_fields_is_made_by_their_names() -> None:
    """In the product, the demo, the benches and the tests."""
    modules = trees()
    names = dataclasses_of(modules)
    assert "Incident" in names
    found = [f"{path}:{call.lineno}" for path, tree in modules.items() for call in in_a_row(tree, names)]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    """Five values in a row; four, or five with a name among them, are none."""
    text = "Finding(1, 2, 3, 4, 5)\nmodel.Finding(1, 2, 3, 4, 5)\nFinding(1, 2, 3, 4)\nFinding(1, 2, 3, 4, why=5)"
    assert [call.lineno for call in in_a_row(ast.parse(text), {"Finding"})] == [1, 2]
