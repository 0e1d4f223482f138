"""What a bot wrote last of itself, where nobody measures it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NewestMinute:
    """The newest row of a bot's minute.csv; a column that the file does not have is None or empty.

    ``daily_loss`` and ``base`` are fractions.
    """

    at: datetime
    state: str
    reasons: tuple[str, ...] = ()
    orders: float | None = None
    daily_loss: float | None = None
    base: float | None = None
    pair: str = ""


class Minutes(Protocol):
    """The bots' own files. Raises SourceError."""

    async def minute(self, bot: str) -> NewestMinute | None:
        """Return the newest minute; None where the bot wrote none."""
        ...
