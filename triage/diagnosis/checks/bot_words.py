"""One bot's state as a line for a person."""

from __future__ import annotations

from triage.diagnosis.checks.bot_now import BotNow
from triage.signals.guard_reasons import in_words, state_in_words
from triage.wording import duration, number, percent

WORTH_TELLING = 60.0
"""Seconds: a history that has just begun says nothing of how long a state is held."""


def describe(bot: BotNow) -> str:
    """Return e.g. ``stopped for 4 min (snapshot 22 s old) · net edge +0.02 %, 15 min average +0.03 %``."""
    if bot.state is None:
        return "no state: the metrics do not name this bot"
    parts = [_state(bot)]
    parts.append(_edge(bot) if bot.net_edge is not None else _no_edge(bot))
    if bot.drawdown:
        parts.append(f"drawdown {percent(bot.drawdown)}")
    if bot.orders is not None:
        parts.append(f"{number(bot.orders)} active orders")
    return " · ".join(parts)


def _state(bot: BotNow) -> str:
    if bot.frozen and bot.age_seconds is not None:
        return (
            f"frozen: last snapshot {duration(bot.age_seconds)} old, it said {state_in_words(bot.state)} then"
        )
    held = ""
    if bot.held_seconds is not None and not (bot.held_at_least and bot.held_seconds < WORTH_TELLING):
        held = f" for {'at least ' if bot.held_at_least else ''}{duration(bot.held_seconds)}"
    age = (
        f" (snapshot {duration(bot.age_seconds)} old)"
        if bot.age_seconds is not None
        else " (snapshot age not known)"
    )
    why = f": {in_words(bot.reasons)}" if bot.reasons else ""
    return f"{state_in_words(bot.state)}{held}{why}{age}"


def _no_edge(bot: BotNow) -> str:
    why = "it is no number" if "net_edge" in bot.no_number else "not measured"
    average = (
        f", 15 min average {percent(bot.net_edge_15m, signed=True)}" if bot.net_edge_15m is not None else ""
    )
    return f"net edge not known ({why}){average}"


def _edge(bot: BotNow) -> str:
    mean = "not known" if bot.net_edge_15m is None else percent(bot.net_edge_15m, signed=True)
    gate = {True: ", edge gate closed", False: "", None: ""}[bot.edge_gate]
    return f"net edge {percent(bot.net_edge, signed=True)}, 15 min average {mean}{gate}"
