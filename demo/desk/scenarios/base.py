"""What a scenario is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from demo.desk.world import World

CauseId = Literal[
    "drawdown_limit",
    "redis_down",
    "stale_bytecode",
    "bad_release",
    "fee_fallback",
    "exchange_errors",
    "exchange_rate_limit",
    "oom_restart_loop",
    "frozen_bot",
    "disk_full",
    "network_down",
    "metrics_blind",
]
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A right answer: an action kind of the contract, or ``none``; its target; and how it helps."""

    kind: str
    target: str
    how: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that goes wrong on the desk.

    ``start`` puts the cause into the world, nothing else: symptoms follow from the simulation within
    ``develops_in`` seconds of the desk's time, and the ``alerts`` after what their rules wait for.
    ``remedies`` all cure, the best first. ``cured`` looks at the world only; ask it once the symptoms are
    there.
    """

    name: str
    title: str
    story: str
    cause: CauseId
    cause_sentence: str
    remedies: tuple[Remedy, ...]
    alerts: tuple[str, ...]
    develops_in: float
    start: Callable[[World], None]
    cured: Callable[[World], bool]

    @property
    def remedy(self) -> Remedy:
        """The best remedy."""
        return self.remedies[0]
