"""A source that hangs is not asked again and again: after repeated silence the answer is at once that it is away.

One question at a time goes through as a probe, until one is answered. What refuses quickly is asked each time: nobody
waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from triage.errors import SourceError, SourceTimeout

TIMEOUTS = 3
"""Questions in a row without an answer after which a source counts as away."""
SILENT_SECONDS = 1.5
"""A question that was given up after less than this says nothing of the source."""
PROBE_EVERY_SECONDS = 3.0
PROBE_SECONDS = 2.5
"""How long a probe waits: whoever asked it waits with it."""


@dataclass(slots=True)
class Circuit:
    """What is known of one source's answering."""

    source: str
    monotonic: Callable[[], float] = time.monotonic
    _timeouts: int = 0
    _probing: bool = False
    _probed_at: float = float("-inf")

    @property
    def away(self) -> bool:
        """Whether questions are answered at once with "not asked"."""
        return self._timeouts >= TIMEOUTS

    @contextmanager
    def question(self, seconds: float) -> Iterator[float]:
        """Let a question through, with the seconds it has; raises SourceTimeout where the source is away.

        What comes of the question is learned from what the block raises.
        """
        probe = self.away
        if probe:
            self._admit_probe()
        began = self.monotonic()
        try:
            yield min(seconds, PROBE_SECONDS) if probe else seconds
        except SourceTimeout:
            self._unanswered()
            raise
        except SourceError:
            self._answered()
            raise
        except asyncio.CancelledError:  # whoever asked has given up
            if self.monotonic() - began >= SILENT_SECONDS:
                self._unanswered()
            raise
        else:
            self._answered()
        finally:
            if probe:
                self._probing = False

    def _admit_probe(self) -> None:
        now = self.monotonic()
        if self._probing or now - self._probed_at < PROBE_EVERY_SECONDS:
            # No time of day: the service's own clock may be another one, and the same words are no new evidence.
            raise SourceTimeout(self.source, f"no answer {TIMEOUTS} times in a row, so it is not asked now")
        self._probing, self._probed_at = True, now

    def _answered(self) -> None:
        self._timeouts = 0

    def _unanswered(self) -> None:
        self._timeouts += 1
        self._probed_at = self.monotonic()
