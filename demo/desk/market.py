"""The price of one pair: a seeded walk that reverts to an anchor, which a scenario can move."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

VOLATILITY = 0.00018  # per square root of a minute, as a share of the price
REVERSION = 0.02  # share of the distance to the anchor taken back in a minute
TREND = 0.004
HIGH_VOL = 0.006


@dataclass(slots=True)
class Leg:
    """A move of the anchor by ``change`` (0.02 = 2 %), spread over ``seconds``."""

    seconds: float
    change: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.seconds


@dataclass(slots=True)
class Market:
    """One pair's price in quote, its recent average and the moves that are still to come."""

    pair: str
    anchor: float
    dice: random.Random
    mid: float = field(init=False)
    slow: float = field(init=False)
    legs: list[Leg] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mid = self.slow = self.anchor

    def move(self, legs: Sequence[tuple[float, float]]) -> None:
        """Let the price move: (seconds, change) one after the other."""
        self.legs.extend(Leg(seconds, change) for seconds, change in legs)

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        minutes = seconds / 60
        if self.legs:
            self._drift(seconds)
        pull = math.log(self.anchor / self.mid) * min(REVERSION * minutes, 1)
        noise = self.dice.gauss(0, VOLATILITY) * math.sqrt(minutes)
        self.mid *= math.exp(pull + noise)
        self.slow += (self.mid - self.slow) * min(minutes / 30, 1)

    def _drift(self, seconds: float) -> None:
        leg = self.legs[0]
        spent = min(seconds, leg.left)
        factor = (1 + leg.change) ** (spent / leg.seconds)
        self.anchor *= factor
        self.mid *= factor
        leg.left -= spent
        if leg.left <= 0:
            self.legs.pop(0)

    @property
    def regime(self) -> str:
        """The market regime, a label of the bots' metrics: it changes, so that one bot has several series."""
        drift = self.mid / self.slow - 1
        if abs(drift) > HIGH_VOL:
            return "high_vol_shock"
        if drift > TREND:
            return "up"
        return "down" if drift < -TREND else "neutral_low_vol"
