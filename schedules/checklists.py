"""The checklists on a schedule: posted only when the status of an item changed, with which item and how."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from triage.desk import Desk
from triage.incidents.documents import owe_answer
from triage.memory.periods import Period, Schedule, due_now, schedule_of, served
from triage.ports.chat import Answer, Line, section
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.reports.answers.checklist import MARKS
from triage.reports.checklists.model import ChecklistResult, ItemResult, ItemStatus
from triage.wording import counted

NAME = "checklists"


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """An item that is not as it was the last time."""

    checklist: str
    item: ItemResult
    before: str


@dataclass(frozen=True, slots=True)
class ChecklistJob:
    """Runs every list once a period. ``run_all`` asks; ``wake_sender`` wakes the sender."""

    store: Store
    desk: Desk
    clock: Clock
    run_all: Callable[[], Awaitable[Sequence[ChecklistResult]]]
    wake_sender: Callable[[], None]

    async def run(self) -> int:
        """Run the lists if they are due. Returns how many items changed their status."""
        settings = self.desk.schedules
        schedule = schedule_of(NAME, settings.checklists, settings.timezone)
        if schedule is None:
            return 0
        periods = await due_now(self.store, schedule, self.clock.now())
        if not periods:
            return 0
        results = await self.run_all()
        turned = await self.store.write(lambda tx: self._keep(tx, schedule, periods, results))
        if turned:
            self.wake_sender()
        return turned

    def _keep(
        self, tx: Tx, schedule: Schedule, periods: Sequence[Period], results: Sequence[ChecklistResult]
    ) -> int:
        now = self.clock.now()
        if not [served(tx, schedule, period, now) for period in periods][-1]:
            return 0
        turned = [one for result in results for one in compared(result, _before(tx, result.checklist))]
        for result in results:
            tx.notes.put(_key(result.checklist), json.dumps(dict(result.states())))
        if turned:
            owe_answer(tx, "checklist", changes_answer(turned), now)
        return len(turned)


def _key(checklist: str) -> str:
    return f"checklist/{checklist}"


def _before(tx: Tx, checklist: str) -> Mapping[str, str]:
    return tx.notes.parsed(_key(checklist), _states) or {}


def _states(text: str) -> Mapping[str, str]:
    return {str(item): str(state) for item, state in json.loads(text).items()}


def compared(result: ChecklistResult, before: Mapping[str, str]) -> list[ChangedItem]:
    """Return the items whose status changed; one that was never asked before is not among them."""
    return [
        ChangedItem(result.title, item, before[item.name])
        for item in result.items
        if item.name in before and before[item.name] != item.status.value
    ]


def changes_answer(turned: Sequence[ChangedItem]) -> Answer:
    """Say which items changed: those that got worse first."""
    worse = [one for one in turned if one.item.status is not ItemStatus.PASS]
    better = [one for one in turned if one.item.status is ItemStatus.PASS]
    words = [f"{counted(len(worse), 'item')} turned worse"] if worse else []
    words += (
        [
            f"{counted(len(better), 'item')} passes again"
            if len(better) == 1
            else f"{len(better)} items pass again"
        ]
        if better
        else []
    )
    title = f"Checklist: {', '.join(words)}"
    return Answer(
        title,
        (section([_line(one) for one in [*worse, *better]]),),
        note="/triage checklist runs all of them now",
        preview=f"{title}: {', '.join(one.item.title for one in [*worse, *better][:3])}",
    )


def _line(one: ChangedItem) -> Line:
    text = f"{one.item.status}, was {one.before} · {one.item.seen} ({one.checklist})"
    return Line(text, name=one.item.title, mark=MARKS[one.item.status])
