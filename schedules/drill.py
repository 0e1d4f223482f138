"""The weekly drill, so that the alerting path is known to work before it is needed."""

from __future__ import annotations

from dataclasses import dataclass

from triage.desk import Desk
from triage.memory.periods import Period, Schedule, due_now, schedule_of, served
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.reports.drill.follow import Drills
from triage.reports.drill.story import DrillStory

NAME = "drill"
BY = "schedule"


@dataclass(frozen=True, slots=True)
class DrillJob:
    """Fires one drill a period; of several missed ones only the last is fired."""

    store: Store
    desk: Desk
    clock: Clock
    drills: Drills

    async def run(self) -> bool:
        """Fire if a drill is due. Returns whether one was fired."""
        settings = self.desk.schedules
        schedule = schedule_of(NAME, settings.drill, settings.timezone)
        if schedule is None:
            return False
        periods = await due_now(self.store, schedule, self.clock.now())
        begun = await self.store.write(lambda tx: self._begin(tx, schedule, periods)) if periods else None
        if begun is not None:
            await self.drills.fire_begun(begun)
        return begun is not None

    def _begin(self, tx: Tx, schedule: Schedule, periods: tuple[Period, ...]) -> DrillStory | None:
        """Claim the periods and begin the drill in one commit: killed then, another replica fires its alert."""
        now = self.clock.now()
        if not [served(tx, schedule, period, now) for period in periods][-1]:
            return None
        return self.drills.begin(tx, BY)
