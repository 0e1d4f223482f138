"""What a fault is: the cause it puts into the desk, and what a good verdict on it says. See docs/lab.md."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.lab.breaker import Breaker

NOTHING_IS_WRONG, NO_CAUSE_FOUND = "nothing_is_wrong", "no_cause_found"
HARMFUL = frozenset(
    {
        "restart", "recreate", "rollback", "kill_switch", "resume", "clear_cache", "disable_internal_paper",
        "degraded_mode", "exit_degraded_mode", "start_desk", "stop_desk",
    }
)  # fmt: skip
"""Kinds of action that do harm wherever they are not the remedy. A soft pause of a bot is undone with one click."""
EXAM_SHARE = 3
TARGETS = ("{bot}", "desk")


class FaultError(ValueError):
    """A fault that cannot be run as it is written."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true about a fault, written down before any verdict is looked at.

    ``cause``: its name; ``also``: names that say the same of it. ``right``: the remedies, each as ``kind target``
    (``restart {bot}``), of which one must be offered; empty where a person must look and no button helps.
    ``tolerated``: what may be offered beside them; a kind without a target is tolerated on any. Every other action of
    ``HARMFUL`` is forbidden; ``forbidden`` names further ones.
    """

    cause: str
    also: frozenset[str] = frozenset()
    right: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every name that is right."""
        return self.also | {self.cause}

    @property
    def abstains(self) -> bool:
        """Whether the right answer blames nothing."""
        return self.cause in {NOTHING_IS_WRONG, NO_CAUSE_FOUND}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    ``strike`` puts the cause into the desk, nothing else. ``bots``: those it can strike, one in a run; empty where
    it is about none. ``patience``: seconds of the desk's time within which its first signal must come. ``settles``: seconds
    after the first signal at which the settled verdict is taken. ``beside``: what goes wrong independently meanwhile,
    put there by the same ``strike``: its truth, and the bot that it is about (empty where it is about none).
    """

    name: str
    story: str
    truth: Truth
    strike: Callable[[Breaker], None]
    bots: tuple[str, ...] = ("bot1", "bot3")
    patience: float = 5_400.0
    settles: float = 600.0
    beside: tuple[tuple[Truth, str], ...] = ()

    @property
    def exam(self) -> bool:
        """Whether it belongs to the half that nobody tunes on; its name decides, a third of all do."""
        return int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % EXAM_SHARE == 0


def exam_seed(seed: int) -> bool:
    """Whether a seed belongs to the half that nobody tunes on."""
    return seed % EXAM_SHARE == 0


def named(pattern: str, bot: str) -> tuple[str, str]:
    """Return the kind and the target of an action as a truth writes it; an empty target stands for any."""
    kind, _, target = pattern.partition(" ")
    return kind, target.replace("{bot}", bot)
