"""``checklist``: run the runbook's lists and say each item."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from triage.ports.chat import Answer, Line, Mark, section
from triage.reports.answers.context import AnswerContext
from triage.reports.checklists import CHECKLISTS
from triage.reports.checklists.model import ChecklistResult, ItemStatus, run_checklist

MARKS = {ItemStatus.PASS: Mark.GOOD, ItemStatus.FAIL: Mark.BAD, ItemStatus.UNKNOWN: Mark.UNKNOWN}


async def run_lists(ctx: AnswerContext, names: Sequence[str]) -> list[ChecklistResult]:
    """Run checklists side by side."""
    context = await ctx.checklist()
    return list(await asyncio.gather(*(run_checklist(CHECKLISTS[name], context) for name in names)))


async def checklists(ctx: AnswerContext, names: Sequence[str]) -> Answer:
    """Answer with each item: passed, failed, or could not be checked and why."""
    return listed_results(await run_lists(ctx, names))


def listed_results(results: Sequence[ChecklistResult]) -> Answer:
    """Return checklists that were run as an answer."""
    items = [item for result in results for item in result.items]
    counts = {status: sum(item.status is status for item in items) for status in ItemStatus}
    words = [f"{counts[ItemStatus.PASS]} passed", f"{counts[ItemStatus.FAIL]} failed"]
    if counts[ItemStatus.UNKNOWN]:
        words.append(f"{counts[ItemStatus.UNKNOWN]} could not be checked")
    sections = tuple(
        section(
            (
                Line(f"{item.status} · {item.seen}", name=item.title, mark=MARKS[item.status])
                for item in result.items
            ),
            result.title,
        )
        for result in results
    )
    title = f"Checklist: {', '.join(words)}"
    return Answer(
        title, sections, note=f"as of {results[0].at:%H:%M:%S} UTC" if results else "", preview=title
    )
