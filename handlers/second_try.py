"""Tries again, once after a start, what an earlier run put aside because it failed on it.

A newer version may read what the one before could not. What still fails stays where it is, until the next start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from loguru import logger

from triage.concurrency import FAULTS, is_stop
from triage.desk_events import Parked
from triage.errors import SourceError, StoreUnavailable
from triage.ports.store import Store
from triage.wording import counted


@dataclass(slots=True)
class SecondTry:
    """Goes once over what was put aside of one ``stream``."""

    store: Store
    stream: str
    beat: Callable[[], None]
    over: bool = False

    async def run(self, take: Callable[[Parked], Awaitable[bool]]) -> None:
        """Give each to ``take``, which stores it and drops it in one commit, and says whether it could.

        Raises ``SourceError`` and ``StoreUnavailable``: what is left then is tried with the next call.
        """
        if self.over:
            return
        aside = await self.store.read(lambda tx: tx.events.failed_on(self.stream))
        taken = 0
        for one in aside:
            taken += await self._taken(one, take)
            self.beat()
        self.over = True
        if aside:
            left = counted(len(aside) - taken, "entry", "entries")
            logger.info(
                "{stream}: tried again, {taken} taken, {left} left",
                stream=self.stream,
                taken=taken,
                left=left,
            )

    async def _taken(self, one: Parked, take: Callable[[Parked], Awaitable[bool]]) -> bool:
        try:
            return await take(one)
        except (SourceError, StoreUnavailable):
            raise
        except FAULTS as error:  # it stays aside, and the others are tried
            if is_stop(error):
                raise
            logger.warning("{key} fails again: {why}", key=one.key, why=type(error).__name__)
            return False
