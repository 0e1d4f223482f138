"""The present state of the desk's Redis and of the services on it."""

from dataclasses import dataclass

from demo.clock import NEVER

INTENT_EVERY = 10


@dataclass(slots=True)
class Redis:
    """The desk's Redis. ``volume_broken``: its append-only file cannot be opened until it has been down for a while.

    ``serving``: its port answers. ``churned_at``: when clients last lost a Redis that should be there.
    """

    volume_broken: bool = False
    serving: bool = False
    churned_at: float = -NEVER
    idle_since: float = NEVER
    refuses_writes: str = ""
    """Why it answers but takes no writes: ``replica``, ``full``, ``disk``; empty while it takes them."""
    memory_used: int = 42_000_000
    memory_max: int = 256_000_000
    evicts: bool = False
    evicted: int = 0
    saves: bool = True
    answers_in: float = 0.001

    @property
    def takes_writes(self) -> bool:
        """Whether what is published arrives."""
        return self.serving and not self.refuses_writes


@dataclass(slots=True)
class Habits:
    """How the services publish. ``intent_flaw``: what is wrong with their intents: ``shape``, ``late`` or nothing."""

    intent_every: int = INTENT_EVERY
    intent_flaw: str = ""
