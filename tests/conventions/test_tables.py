"""The tables in the docs are what the code says."""

from __future__ import annotations

from tools.tables import ROOT, TABLES, filled, stale


def test_no_table_in_the_docs_is_stale() -> None:
    """`python -m tools.tables` was run after the last change."""
    assert stale() == []


def test_every_table_stands_in_a_document() -> None:
    """A table that no document shows is made for nobody."""
    documents = (*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"))
    shown = "".join(path.read_text(encoding="utf-8") for path in documents)
    assert [name for name in TABLES if f"<!-- table: {name} -->" not in shown] == []


def test_a_table_that_was_edited_by_hand_is_made_anew() -> None:
    """What stands between the marks is replaced, what stands around stays."""
    text = "before\n<!-- table: actions -->\nby hand\n<!-- end -->\nafter\n"
    made = filled(text)
    assert "by hand" not in made
    assert made.startswith("before\n")
    assert made.endswith("<!-- end -->\nafter\n")
