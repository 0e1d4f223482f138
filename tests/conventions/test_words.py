"""Docstrings, comments and names use the field's terms: a figure of speech has to be guessed.

What a reader would search for stands in the code: *receives*, not *hears*; *untrusted text*, not *foreign*; *action*, not
*deed*. The words are looked for where people read (docstrings, comments, names of modules, classes, functions,
arguments and fields), not in what the bot says or in the words of outside systems.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "bot", "demo", "handlers", "schedules", "tests", "tools", "triage")
FIGURES = re.compile(
    r"\b(aloud|brew\w*|deeds?|conduct\w*|foreign|lean|ears?|mouths?|hears?|heard|hearing|wardrobe|lookout|die of"
    r"|worth telling|whisper\w*|deaf\w*|pulse|travel\w*|sits?|theat(?:re|er)|everyday life|in earnest"
    # what a thing does, said of it as of a person or an animal
    r"|swallow\w*|eats?|eaten|feeds?|trips? us|speaks? up|teach\w*|witness\w*|moods?|at the keyboard|victims?"
    # what it is called in a house, a family, a wardrobe
    r"|broom|front door|namesakes?|twins?|kin|strangers?|dress\w*|fate|dearest|lit up|dies? down)\b"
)
"""In small letters: a search that takes large ones for them takes three times as long."""
PARTS = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
"""Where a name's words meet."""
ALLOWED = {
    "tests/conventions/test_words.py": "names the words it looks for",
    "triage/masking/mnemonic_words.py": "the words of a standard",
}


def figure_in(text: str) -> re.Match[str] | None:
    """Return the first figure of speech in a text, its letters large or small."""
    return FIGURES.search(text.lower())


def read_by_people(text: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings, comments and names of a module, with their lines; nothing where none of the words is in it."""
    if figure_in(PARTS.sub(" ", text)) is None:  # most modules: reading them as Python takes long
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(said))):  # a docstring, of a field or a constant too
                yield node.lineno, said
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, PARTS.sub(" ", name)
            case ast.arg(arg=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield node.lineno, PARTS.sub(" ", name)
            case _:
                pass
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_no_figure_of_speech_stands_where_a_term_exists() -> None:
    """In any package, the tests included."""
    found = [
        f"{name}:{line}: {match[0]}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if (name := path.relative_to(ROOT).as_posix()) not in ALLOWED
        for line, text in [
            (1, path.stem.replace("_", " ")),
            *read_by_people(path.read_text(encoding="utf-8")),
        ]
        for match in FIGURES.finditer(text.lower())
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        '"""Hears Slack."""',
        "# told aloud",
        "class Ears: ...",
        "def conduct(): ...",
        "async def is_foreign(): ...",
        "class BrewingPhase: ...",
        'LIMIT = 3\n"""So much travels at once."""',
        "class Line:\n    is_deaf: bool",
        "def close(pulse: float): ...",
        "# a cancellation is swallowed",
        '"""Let the next one speak up."""',
        "def put(twin: Line): ...",
        "async def deafen(): ...",
    ],
)
def test_the_search_finds_what_it_is_for(text: str) -> None:
    """A docstring, a comment, a class, a function, a word within a name."""
    assert any(figure_in(each) for _, each in read_by_people(text))


@pytest.mark.parametrize(
    "text", ['x = "mot heard"', "# near, clean, early, other hearts", "def clear(): ..."]
)
def test_other_words_and_what_the_bot_says_are_left_alone(text: str) -> None:
    """Only whole words count, and no string."""
    assert not any(figure_in(each) for _, each in read_by_people(text))
