"""PromQL, built so that a hostile label value stays a value."""

from __future__ import annotations

from collections.abc import Iterable

from triage.queries.quoting import label_name, one_of, quoted


def selector(
    metric: str, /, *, any_of: Iterable[str] | None = None, by: str = "bot", also: str = "", **equal: str
) -> str:
    """Return ``metric{state="hard_stop",bot=~"bot1|bot2"}``.

    ``any_of``: the values the label ``by`` may have; None leaves it open. ``also``: a matcher of our own.
    """
    matchers = [f"{label_name(name)}={quoted(value)}" for name, value in equal.items()]
    if any_of is not None:
        matchers.append(f"{label_name(by)}=~{quoted(one_of(any_of))}")
    if also:
        matchers.append(also)
    return f"{metric}{{{','.join(matchers)}}}"


def family(names: Iterable[str], *, any_of: Iterable[str], by: str = "bot") -> str:
    """Return a selector of several metrics at once: one question instead of ten."""
    return f"{{__name__=~{quoted(one_of(names))},{label_name(by)}=~{quoted(one_of(any_of))}}}"
