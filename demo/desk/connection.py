"""What a bot's process keeps of its connection to the exchange."""

from dataclasses import dataclass, field

from demo.desk.replies import Endpoint

NEEDED: frozenset[Endpoint] = frozenset({"account", "rules", "book", "user_stream"})


@dataclass(slots=True)
class Connector:
    """One process's connection. ``answered``: what has answered since the start; ``lost``: sockets that are closed.

    ``due``: when what is done next (Unix seconds). ``retries``: orders refused in a row.
    """

    due: dict[Endpoint, float] = field(default_factory=dict)
    answered: set[Endpoint] = field(default_factory=set)
    lost: dict[Endpoint, float] = field(default_factory=dict)
    connected: bool = True
    retries: int = 0
    status_failures: int = 0
    offset_refreshed: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether the strategy may trade with it."""
        return self.connected and self.answered >= NEEDED
