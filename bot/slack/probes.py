"""Who tries a place that refuses: one message every few seconds, and the others ever more seldom.

So a channel that will never take an edit again costs little, and after a mend all that waited is sent at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triage.ports.clock import Clock
from triage.ports.store import Message

PROBE_SECONDS = 8.0
"""How often a place that refuses is tried: after the mend its messages flow again within that time."""
LONGEST_PROBE_SECONDS = 60.0
_GIVEN_UP = 3
"""Turns after which another message takes the place of the one that tries, and has not come."""


@dataclass(slots=True)
class _Probe:
    """``errors``: what the place has answered, to whichever message."""

    message_id: int
    at: float
    errors: set[str] = field(default_factory=set)


class Probes:
    """The message that tries each place, by the place's key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._probes: dict[str, _Probe] = {}

    def wait(self, key: str, message: Message, error: str) -> float:
        """Note that a place has refused a message; returns the seconds until it is tried again with that one."""
        now = self._clock.monotonic()
        probe = self._probes.setdefault(key, _Probe(message.id, now))
        probe.errors.add(error)
        if probe.message_id != message.id and now - probe.at <= _GIVEN_UP * PROBE_SECONDS:
            return longer_wait(message)
        probe.message_id, probe.at = message.id, now
        return PROBE_SECONDS

    def over(self, *keys: str) -> set[str]:
        """Note that places take messages again. Returns the errors for which others wait there."""
        done = [probe for key in keys if (probe := self._probes.pop(key, None)) is not None]
        return {error for probe in done for error in probe.errors}


def longer_wait(message: Message) -> float:
    """Return the seconds until a message that was refused so often is tried again by itself."""
    return min(LONGEST_PROBE_SECONDS, PROBE_SECONDS * float(2 ** min(message.attempts, 5)))
