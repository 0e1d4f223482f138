"""A dataclass with many fields is made by their names: five values in a row say nothing of what each of them is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "bot", "demo", "handlers", "schedules", "tests", "tools", "triage")
MOST = 4
"""So many values may stand in a row without their names."""
_UNNAMED = re.compile(r"(\w+)\((?!\s*(?:\w+=(?!=)|\)))")
"""A call whose first value has no name."""
_PIECE = re.compile(
    r"\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|#[^\n]*|[(\[{]|[)\]}]|,", re.DOTALL
)
"""What tells how many values a call has: texts and comments, so that nothing inside them counts, brackets, commas."""
_DATACLASS = re.compile(r"^[ \t]*@(?:\w+\.)*dataclass\b(?:.*\n)+?[ \t]*class (\w+)", re.MULTILINE)
"""A class under that decorator, whatever the decorator is given and whichever stand beside it."""


def modules() -> dict[str, str]:
    """Return the text of every module by its path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def dataclasses_of(text: str) -> set[str]:
    """Return the names of the dataclasses of a module."""
    return set(_DATACLASS.findall(text))


def in_a_row(text: str, names: set[str]) -> Iterator[ast.Call]:
    """Yield the calls of these classes with more than ``MOST`` values without a name; ``*rows`` say what they are."""
    # Reading a module as Python takes long: only one that calls such a class with so many values, the first without a name.
    if not any(
        called[1] in names and _commas(text, called.end()) >= MOST for called in _UNNAMED.finditer(text)
    ):
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or len(node.args) <= MOST:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in names and not any(isinstance(each, ast.Starred) for each in node.args):
            yield node


def _commas(text: str, begin: int) -> int:
    """Count the commas between the values of a call, from behind its bracket to where that is closed."""
    depth, commas = 1, 0
    for piece in _PIECE.finditer(text, begin):
        depth += (piece[0] in "([{") - (piece[0] in ")]}")
        commas += piece[0] == "," and depth == 1
        if not depth:
            break
    return commas


def test_what_has_many_fields_is_made_by_their_names() -> None:
    """In the product, the demo, the benches and the tests."""
    texts = modules()
    names = set[str]().union(*map(dataclasses_of, texts.values()))
    assert "Incident" in names
    found = [f"{path}:{call.lineno}" for path, text in texts.items() for call in in_a_row(text, names)]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    """Five values in a row; four, or five with a name among them, are none."""
    text = "Finding(1, 2, 3, 4, 5)\nmodel.Finding(1, 2, 3, 4, 5)\nFinding(1, 2, 3, 4)\nFinding(1, 2, 3, 4, why=5)"
    assert [call.lineno for call in in_a_row(text, {"Finding"})] == [1, 2]


def test_no_text_comment_or_bracket_among_the_values_hides_the_others() -> None:
    """Quotes, brackets and commas inside of them are no end of the call and no further value."""
    many = 'Finding(\')\', f(1, 2), """a)\'""",  # not )\n [4], {\'a\': "\\")"})'
    few = "Finding((1, 2, 3, 4, 5), 'a,b,c,d,e')  # , , ,"
    assert len(list(in_a_row(many, {"Finding"}))) == 1
    assert _commas(few, len("Finding(")) == 1


def test_a_dataclass_is_found_however_it_is_decorated() -> None:
    """With arguments, over several lines, beside another decorator, inside a function."""
    text = (
        "@dataclass\nclass A: ...\n@dataclasses.dataclass(\n    frozen=True,\n)\nclass B: ...\n"
        "def f():\n    @final\n    @dataclass(slots=True)\n    @other(1)\n    class C: ...\nclass D: ...\n"
    )
    assert dataclasses_of(text) == {"A", "B", "C"}
