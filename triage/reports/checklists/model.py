"""What a checklist is, and how it is run: its items side by side; none can delay the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loguru import logger

from triage.concurrency import FAULTS, is_stop
from triage.desk import Desk
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.checks.base import CheckContext
from triage.errors import DeskFailure, SourceError
from triage.masking import masked
from triage.model import Finding, FindingStatus
from triage.ports.actions import Controllers, EnvFile
from triage.ports.checklists import ClientConfigs, Dashboards, PaperFigures
from triage.ports.sources import Sources

DEADLINE_SECONDS = 10.0


class ItemStatus(StrEnum):
    """How an item ended."""

    PASS = "pass"  # noqa: S105 - a word of the runbook, no password
    FAIL = "fail"
    UNKNOWN = "could not be checked"


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """An item's answer: ``text`` is what was seen, or why it could not be."""

    status: ItemStatus
    text: str


def passed(text: str) -> ItemAnswer:
    """Return an answer that is good."""
    return ItemAnswer(ItemStatus.PASS, text)


def failed(text: str) -> ItemAnswer:
    """Return an answer that is not."""
    return ItemAnswer(ItemStatus.FAIL, text)


def unknown(why: str) -> ItemAnswer:
    """Return that it could not be checked, and why."""
    return ItemAnswer(ItemStatus.UNKNOWN, why)


@dataclass(frozen=True, slots=True)
class ChecklistContext:
    """What items may ask. ``drilled_at``: when the last drill came through; None: never."""

    desk: Desk
    sources: Sources
    env: EnvFile
    controllers: Controllers
    clients: ClientConfigs
    dashboards: Dashboards
    papers: PaperFigures
    now: datetime
    drilled_at: datetime | None = None
    degraded: bool = False

    @property
    def bots(self) -> tuple[str, ...]:
        """The desk's bots."""
        return tuple(bot.name for bot in self.desk.bots)

    async def check(self, name: str, *bots: str) -> Finding:
        """Run one check of triage about some bots (all of them where none is named)."""
        about = bots or self.bots
        context = CheckContext(
            desk=self.desk,
            sources=self.sources,
            now=self.now,
            since=self.now,
            bots=about,
            containers=tuple(self.desk.container_of(bot) for bot in about),
            single_bot=len(about) == 1,
        )
        return await CHECKS[name].run(context)


Question = Callable[[ChecklistContext], Awaitable[ItemAnswer]]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist."""

    name: str
    title: str
    ask: Question


@dataclass(frozen=True, slots=True)
class Checklist:
    """A named list of items."""

    name: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """An item with its answer."""

    name: str
    title: str
    status: ItemStatus
    seen: str


@dataclass(frozen=True, slots=True)
class ChecklistResult:
    """A checklist that was run."""

    checklist: str
    title: str
    at: datetime
    items: tuple[ItemResult, ...]

    @property
    def failing(self) -> tuple[ItemResult, ...]:
        """The items that failed."""
        return tuple(item for item in self.items if item.status is ItemStatus.FAIL)

    def states(self) -> Mapping[str, str]:
        """Return each item's status by name: what a later run is compared with."""
        return {item.name: item.status.value for item in self.items}


async def run_checklist(
    checklist: Checklist, context: ChecklistContext, *, deadline: float = DEADLINE_SECONDS
) -> ChecklistResult:
    """Run every item at once, each under the deadline."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_answer(item, context, deadline)) for item in checklist.items]
    items = tuple(
        ItemResult(item.name, item.title, task.result().status, masked(task.result().text))
        for item, task in zip(checklist.items, tasks, strict=True)
    )
    return ChecklistResult(checklist.name, checklist.title, context.now, items)


async def _answer(item: Item, context: ChecklistContext, deadline: float) -> ItemAnswer:
    limit = asyncio.timeout(deadline)
    try:
        async with limit:
            return await item.ask(context)
    except TimeoutError:
        return unknown(
            f"no answer within {deadline:g} s" if limit.expired() else "a wait inside ran out of time"
        )
    except (SourceError, DeskFailure) as error:
        return unknown(str(error))
    except FAULTS as error:  # in one item: it must not take the others' answers away
        if is_stop(error):
            raise
        logger.opt(exception=True).bind(item=item.name).error("checklist item failed")
        return unknown(f"the item itself failed ({type(error).__name__}); the log has the traceback")


def from_finding(finding: Finding) -> ItemAnswer:
    """Turn a check's finding into an answer: only ok passes, unknown stays unknown."""
    if finding.status is FindingStatus.OK:  # its details say the same at length
        return passed(finding.headline)
    text = f"{finding.headline}: {'; '.join(finding.details[:3])}" if finding.details else finding.headline
    return unknown(finding.why or text) if finding.status is FindingStatus.UNKNOWN else failed(text)
