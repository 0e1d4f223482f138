"""An env file is read as Docker Compose reads it, and what is not clear is said by its line alone."""

import pytest

from bot.desk.env_file import changed
from triage.env_text import read_env
from triage.errors import DeskFailure


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB = two words  \n", {"A": "1", "B": "two words"}),
        ('K="v #x"#c\nNEXT=1\n', {"K": "v #x", "NEXT": "1"}),
        ("K=123#4\nL=123 #4\nM= # none\n", {"K": "123#4", "L": "123", "M": ""}),
        ("\ufeffFIRST=1\r\nexport SECOND='a # b' # c\r\n", {"FIRST": "1", "SECOND": "a # b"}),
        ('P="one\nTWO=2\nthree"\nQ=1\n', {"P": "one\nTWO=2\nthree", "Q": "1"}),
        ("P='one\nTWO=2'\nQ: yes\n", {"P": "one\nTWO=2", "Q": "yes"}),
        ('E="a\\"b\\nc\\\\"\nS=\'a\\nb\'\n', {"E": 'a"b\nc\\', "S": "a\\nb"}),
        ("TWICE=1\nTWICE=2\n", {"TWICE": "2"}),
        ("# only\n\n   # comments\n", {}),
        ("ALONE\nA=it's\n", {"A": "it's"}),
        ("A=1", {"A": "1"}),
    ],
)
def test_the_values_are_what_compose_makes_of_them(text: str, values: dict[str, str]) -> None:
    """Quotes over lines, comments behind values, a byte order mark, line ends of both kinds."""
    read = read_env(text)
    assert read.values == values
    assert read.doubts == ()


def test_what_compose_puts_together_is_seen() -> None:
    """In single quotes and behind a backslash nothing is."""
    read = read_env("A=${TAG:-x}/$B\nC=\"$TAG\"\nD='${TAG}'\nE=a$$b\n")
    assert [(entry.key, entry.refers) for entry in read.entries] == [
        ("A", ("TAG", "B")),
        ("C", ("TAG",)),
        ("D", ()),
        ("E", ()),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('A=1\nKEY="never closed\nMIIEvQIBADANBg=\n', "line 2"),
        ("A=1\nKEY=-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq=\n", "line 2"),
        ("A=1\nB='x' y\n", "line 2"),
        ("MIIEvQIBADANBgkqhkiG9w0BAQ==\n", "line 1"),
        ("A=1\nno key at all\n", "line 2"),
    ],
)
def test_what_is_not_clear_is_a_doubt_that_tells_no_word_of_it(text: str, line: str) -> None:
    """And nothing is written into such a file."""
    read = read_env(text)
    assert read.doubts[0].startswith(line)
    assert not any(word in " ".join(read.doubts) for word in ("MIIE", "never", "no key at all"))
    with pytest.raises(DeskFailure, match="not clear"):
        changed(text, "A", "2", was="1")


def test_a_change_touches_the_value_alone() -> None:
    """Also where the key stands in another value's lines, and never where the value is put together."""
    text = '\ufeffP="x\nIMAGE=no\n"\r\nexport IMAGE = "hbot:1"#c\n'
    assert changed(text, "IMAGE", "hbot:2", was="hbot:1") == text.replace("hbot:1", "hbot:2")
    with pytest.raises(DeskFailure, match="put together from TAG"):
        changed("IMAGE=hbot:${TAG}\n", "IMAGE", "hbot:2", was="hbot:${TAG}")
    with pytest.raises(DeskFailure, match="no longer") as refused:
        changed("PASSWORD=orchid\n", "PASSWORD", "x", was="y")
    assert "orchid" not in str(refused.value)


def test_a_backslash_before_the_closing_single_quote_is_a_doubt() -> None:
    """Compose may take that quote for a part of the value, and what follows with it."""
    found = read_env("A='x\\'\nB=1\n")
    assert found.doubts == (
        "line 1 has a backslash before its closing quote, which Compose may take for a part of the value",
    )
    assert read_env("A='x\\y'\n").doubts == ()
