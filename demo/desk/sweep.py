"""A parameter sweep: many small paper bots without containers of their own, shown by the metrics exporter.

They matter when something hits them all at once: one cause, hundreds of alerts.
"""

import math
import random
from dataclasses import dataclass

ERRORS_PER_SECOND = 0.5
FORGOTTEN_IN = 200.0  # seconds in which the count of recent errors falls to a third
RECONNECTS_PER_SECOND = 0.2


@dataclass(slots=True)
class Sweep:
    """``count`` bots that fail together; each shows it in a strength of its own."""

    dice: random.Random
    count: int = 0
    errors: float = 0.0
    reconnects: float = 0.0
    started_at: float = 0.0
    network_down: bool = False

    def launch(self, count: int, now: float) -> None:
        """Start that many."""
        self.count, self.started_at = count, now

    def stop(self) -> None:
        """End them all: their series vanish."""
        self.count = 0
        self.errors = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The bots' names."""
        return tuple(f"sweep{number:02d}" for number in range(1, self.count + 1))

    def step(self, now: float, seconds: float, *, network_down: bool) -> None:
        """Let ``seconds`` pass."""
        if not self.count or now < self.started_at:
            return
        self.network_down = network_down
        if network_down:
            self.errors += ERRORS_PER_SECOND * seconds
            self.reconnects += RECONNECTS_PER_SECOND * seconds
        else:
            self.errors *= math.exp(-seconds / FORGOTTEN_IN)
