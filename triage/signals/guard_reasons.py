"""The bots' guard reasons in words: why a bot does not trade, and what brings it back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

URGENCY = ("hard_stop", "soft_pause", "running")
"""The states of a bot, the one that needs a person most at first."""
LIMITS = frozenset(
    {"drawdown_hard_limit", "daily_loss_hard_limit", "daily_turnover_hard_limit", "external_kill_switch"}
)
"""Reasons of a guard that stops a bot on purpose: whatever else goes on, it stays stopped."""


class Reason(NamedTuple):
    """``words`` for people; ``back`` completes ``it comes back …``, empty where that is not known."""

    words: str
    back: str = ""


_PERSON = "when a person has reviewed it and starts it again"
_MARKET = "by itself, with the market"

REASONS: Mapping[str, Reason] = {
    "connector_not_ready": Reason("connector not ready", "when its connector is ready"),
    "balance_mismatch": Reason("balances differ from the exchange's", "when the balances agree"),
    "edge_gate_blocked": Reason("edge gate", _MARKET),
    "high_vol": Reason("high volatility", _MARKET),
    "market_spread_too_small": Reason("market spread too small", _MARKET),
    "base_pct_below_min": Reason("too little base", "when its inventory is inside the band"),
    "base_pct_above_max": Reason("too much base", "when its inventory is inside the band"),
    "projected_total_quote_above_cap": Reason("exposure cap", "when its exposure is below the cap"),
    "daily_turnover_hard_limit": Reason("turnover limit of the day", _PERSON),
    "daily_loss_hard_limit": Reason("loss limit of the day", _PERSON),
    "drawdown_hard_limit": Reason("drawdown limit", _PERSON),
    "cancel_fail_hard_limit": Reason("cancels fail", _PERSON),
    "fee_unresolved": Reason("fees not resolved", "when the fee source answers and a person starts it again"),
    "external_kill_switch": Reason("kill switch", _PERSON),
    "phase0_stub_disabled": Reason("controller switched off", "when its controller is switched on"),
    "order_book_stale": Reason("order book stale", "when the order book moves again"),
    "bus_outage": Reason("bus outage", "when Redis and the external services work again"),
    "external_intent": Reason("paused by an intent", "when a person resumes it"),
}


STATES: Mapping[str, str] = {"running": "running", "soft_pause": "paused", "hard_stop": "stopped"}
"""A bot's states as people say them, everywhere but in what is copied."""


def state_in_words(state: str | None) -> str:
    """Return ``paused`` for ``soft_pause``; a state that is not known stands as it came, without underscores."""
    return STATES.get(state or "", (state or "").replace("_", " "))


_PLURAL = {"it": "them", "its": "their", "itself": "themselves"}
_SINGULAR = re.compile(r"\b(?:it|its|itself)\b")


def in_words(reasons: Iterable[str]) -> str:
    """Return ``edge gate, bus outage``; a reason that is not known stands as it came."""
    return ", ".join(dict.fromkeys(_of(reason).words for reason in reasons))


def comes_back(state: str, reasons: Iterable[str], *, several: bool = False) -> str:
    """Return what brings a bot in that state back, as in ``comes back when …``; empty where that is not known.

    ``several``: it is said of more than one bot.
    """
    found = [_of(reason).back for reason in reasons]
    if state == "hard_stop":
        back = next((back for back in found if back and "person" in back), _PERSON)
    else:
        back = ", and ".join(dict.fromkeys(filter(None, found)))
    return _SINGULAR.sub(lambda word: _PLURAL[word.group()], back) if several else back


def needs_person(reason: str) -> bool:
    """Say whether only a person brings a bot back that stands for this reason."""
    return "person" in _of(reason).back


def _of(reason: str) -> Reason:
    return REASONS.get(reason) or Reason(reason.replace("_", " "))
