"""What a picture shows, in words: for a screen reader, and where pictures are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.charts.panels import WORDS, share_in_words
from bot.charts.scales import number, period, without_half_word

if TYPE_CHECKING:
    from triage.kpis.picture import BotPicture, Line

MOST = 1000
"""Characters; a screen reader reads all of it."""


def alt_text(picture: BotPicture) -> str:
    """Return the picture's content in a few sentences of plain text."""
    parts = [
        f"{picture.bot}, {period(picture.start, picture.end)}: {', '.join(picture.facts)}.",
        _states(picture),
        _equity(picture),
        _worst("Drawdown", picture.drawdown, picture.drawdown_limit, " %"),
        _edge(picture),
        _inventory(picture),
        _worst("Turnover of the day", picture.turnover, picture.turnover_limit, "x"),
        _worst("Cancels a minute", picture.cancels, picture.cancel_budget, ""),
        _marks(picture),
        f"Verdict: {picture.verdict}.",
    ]
    text = " ".join(part for part in parts if part)
    return text if len(text) <= MOST else f"{without_half_word(text[: MOST - 1], text)}…"


def _known(line: Line) -> list[float]:
    return [value for part in line for value in part if value is not None]


def _states(picture: BotPicture) -> str:
    shares = sorted(picture.shares, key=lambda entry: -entry[1])
    return f"State: {', '.join(f'{WORDS[name]} {share_in_words(share)}' for name, share in shares)}."


def _equity(picture: BotPicture) -> str:
    known = [value for value in picture.equity[1] if value is not None]
    if not known:
        return "Equity not measured."
    span = max(known) - min(known) or 1.0
    first, last = number(known[0], span), number(known[-1], span)
    return f"Equity from {first} to {last}."


def _edge(picture: BotPicture) -> str:
    known = _known(picture.edge)
    if not known:
        return "Net edge not measured."
    span = f"{min(known):.3f} to {max(known):.3f} %"
    return f"Net edge {span}, below zero in {picture.edge_below_pct or 0:.0f} % of the minutes."


def _inventory(picture: BotPicture) -> str:
    known = _known(picture.base)
    if not known:
        return "Base share not measured."
    low, high = picture.base_band
    inside = "within" if low <= min(known) and max(known) <= high else "out of"
    wanted = _known(picture.target)
    aim = f", target {min(wanted):.0f} to {max(wanted):.0f} %" if wanted else ", target not measured"
    return f"Base share {min(known):.0f} to {max(known):.0f} %{aim}, {inside} its band of {low:.0f} to {high:.0f} %."


def _worst(name: str, line: Line, limit: float, unit: str) -> str:
    known = _known(line)
    if not known:
        return f"{name} not measured."
    over = "over" if max(known) > limit else "within"
    return f"{name} at most {number(max(known), limit or 1)}{unit}, {over} the limit of {limit:g}{unit}."


def _marks(picture: BotPicture) -> str:
    told = [mark.label for mark in picture.marks[:8]]
    more = f" and {len(picture.marks) - len(told)} more" if len(picture.marks) > len(told) else ""
    return f"Incidents and actions: {', '.join(told)}{more}." if told else "No incidents or actions."
