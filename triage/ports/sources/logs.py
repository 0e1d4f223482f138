"""What Loki is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line with its stream's labels."""

    at: datetime
    text: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines, oldest first. ``truncated``: there were more than the limit, the newest were kept."""

    lines: tuple[LogLine, ...]
    truncated: bool = False
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was made of them, by name: an answer that is kept for many triages is read once."""


class Logs(Protocol):
    """Loki. ``selector`` is LogQL such as ``{job="bot_logs", bot="bot1"}``; build it with ``triage.queries.logql``."""

    async def lines(
        self,
        selector: str,
        *,
        contains: str = "",
        start: datetime,
        end: datetime,
        limit: int = 5000,
        kept_seconds: float = 0,
    ) -> LogLines:
        """Return the newest lines of a range that contain a text. ``kept_seconds``: the answer may be so old."""
        ...

    async def counts(
        self, selector: str, *, by: str, end: datetime, window_seconds: float, kept_seconds: float = 0
    ) -> Mapping[str, int]:
        """Count the lines of a window by the values of a label (``by`` empty: all together, under "").

        A value whose streams hold no line is absent. ``kept_seconds``: the answer may be so old.
        """
        ...

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where the streams hold no line at all."""
        ...

    async def ready(self) -> None:
        """Return when Loki says that it is ready; raise otherwise."""
        ...
