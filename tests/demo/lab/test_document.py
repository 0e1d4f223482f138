"""docs/verdicts.md: the healthy week is a run of its own and keeps its place when the rest is written anew."""

from demo.lab.report import document, week_in, with_week


def test_a_healthy_week_is_put_in_kept_and_replaced() -> None:
    """Before what a confidence is worth, whatever stood there."""
    text = document([("development", []), ("exam", [])])
    assert week_in(text) == ""
    once = with_week(text, "7 healthy days")
    assert week_in(once) == "7 healthy days"
    assert once.index("## A healthy week") < once.index("## What a confidence is worth")
    twice = with_week(once, "2 healthy days")
    assert week_in(twice) == "2 healthy days"
    assert twice.count("## A healthy week") == 1
    assert with_week(document([("development", []), ("exam", [])]), week_in(once)) == once
