"""The one table of weights: how likely each cause is before anything is seen, and what evidence is worth.

All figures are log-odds (natural logarithm): +1 makes a thing 2.7 times as likely, 0 is even odds. They are set
by hand to the order of magnitude, checked against the development half of the fault lab (docs/verdicts.md), and
kept few: a level is chosen where the evidence is read, its worth only here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

Level = Literal["proof", "strong", "clear", "some", "hint", "hint_not", "doubt", "contradiction", "excluded"]

WORTH: Mapping[Level, float] = {
    "proof": 7.0,  # the thing itself was seen: the guard names its limit, Redis does not answer, the container is paused
    "strong": 5.6,  # seen, and hardly ever seen otherwise: an exchange's code in several new errors
    "clear": 4.2,  # usually this: alone it makes even odds
    "some": 2.0,
    "hint": 0.9,
    "hint_not": -0.9,
    "doubt": -2.0,
    "contradiction": -4.2,
    "excluded": -12.0,  # cannot be, whatever else was seen
}

PRIOR = -4.0
"""A cause that nothing speaks for: one in fifty."""

PRIORS: Mapping[str, float] = {
    # What the market does every day happens far more often than anything breaks.
    "edge_gate": -3.2,
    "high_vol": -3.2,
    "exchange_errors": -3.4,
    # What is rarely the reason although it is often seen.
    "fee_fallback": -4.6,
    "host_saturated": -4.4,
    "bad_release": -4.6,
    "log_errors_other": -5.0,
    "alert_storm": -4.4,
}

REPEATED = 0.25
"""A second piece of evidence from the same source hardly adds to the first: this share of its worth."""

EXPLAINED = -4.5
"""What a believed upstream cause brings about is no cause of its own."""
CONSEQUENCE = -0.4
"""The most that is left of it: below even odds."""
RIVAL = -1.6
"""Another cause explains all the same alerts, and better."""
CHANCE = -1.9
"""What goes on every day beside an alert that nobody wrote down: less likely than that nothing we know explains it."""
STRANGE_ALERT = -0.7
"""Nobody wrote down what this alert means: that a cause explains it is only likely."""
EVERYDAY = frozenset(
    {
        "edge_gate",
        "high_vol",
        "inventory_band",
        "market_spread_too_small",
        "operator_pause",
        "flapping",
        "log_errors_other",
    }
)
"""What goes on every day, whatever alert comes: beside an alert that nobody wrote down it is chance, and it explains no
alert that is known not to hold now."""

LIKELY = 0.5
"""From here on a cause is believed."""
CERTAIN = 0.9
HIGHEST = 0.97
"""Nothing is ever certain."""

CEILINGS = (HIGHEST, 0.84, 0.6, 0.49)
"""What can be believed at most without direct proof while 0, 1, 2, 3 or more of its checks have no answer. With one
away the development half was right in 9 of 10: no more than that is said, and less than a restart asks for."""

CALIBRATION: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (0.5, 0.5),
    (0.55, 0.65),
    (0.83, 0.94),
    (0.96, 0.97),
    (1.0, 1.0),
)
"""Pairs (log-odds say, was right), between which it is linear: rounded from what the lab's development half showed;
``make lab ARGS='--half development --fit'`` prints the fit of today. Up to even odds nothing is corrected."""


def prior(cause: str) -> float:
    """Return a cause's log-odds before anything is seen."""
    return PRIORS.get(cause, PRIOR)


def probability(score: float) -> float:
    """Return the calibrated probability (0 to ``HIGHEST``) of log-odds."""
    raw = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))
    return min(HIGHEST, _along(CALIBRATION, raw))


def uncalibrated(confidence: float) -> float:
    """Return what the log-odds alone would say where a verdict says this; for the fit."""
    return _along(tuple((at, says) for says, at in CALIBRATION), confidence)


def _along(table: tuple[tuple[float, float], ...], value: float) -> float:
    for (low, at_low), (high, at_high) in pairwise(table):
        if low <= value <= high:
            return at_low + (at_high - at_low) * ((value - low) / (high - low) if high > low else 1.0)
    return value
