"""``health``: the runbook's last checklist: connector, errors, audit stream, dead letters."""

from __future__ import annotations

from datetime import datetime, timedelta

from triage.model import utc
from triage.reports.checklists.model import (
    Checklist,
    ChecklistContext,
    Item,
    ItemAnswer,
    failed,
    from_finding,
    passed,
    unknown,
)
from triage.wording import duration, listed

HOUR = timedelta(hours=1)
NOT_READY = "connector_not_ready"


async def connector(context: ChecklistContext) -> ItemAnswer:
    """No bot says that its connector is not ready."""
    finding = await context.check("bot_state")
    bots = finding.data.get("bots", {})
    stale = [bot for bot in context.bots if bots.get(bot, {}).get("state") is None or bots[bot].get("frozen")]
    not_ready = [bot for bot in context.bots if NOT_READY in bots.get(bot, {}).get("reasons", [])]
    if not_ready:
        return failed(f"{NOT_READY}: {listed(not_ready)}")
    if stale:
        return unknown(f"no fresh state of {listed(stale)}")
    return passed(f"ready on {listed(list(context.bots))}")


async def errors(context: ChecklistContext) -> ItemAnswer:
    """The error log does not grow."""
    return from_finding(await context.check("error_logs"))


async def audit(context: ChecklistContext) -> ItemAnswer:
    """The audit stream holds events."""
    info = await context.sources.streams.info(context.desk.streams.audit)
    if not info.length:
        return failed(f"{info.name} is empty")
    age = context.now - entry_time(info.last_id)
    return passed(f"{info.length} entries, the newest {duration(age.total_seconds())} old")


async def dead_letters(context: ChecklistContext) -> ItemAnswer:
    """The dead letters of the last hour are few."""
    limit = context.desk.streams.dead_letters_per_hour_max
    found = await context.sources.streams.between(
        context.desk.streams.dead_letter, start=context.now - HOUR, end=context.now
    )
    text = f"{len(found)} in the last hour (at most {limit:g})"
    return passed(text) if len(found) <= limit else failed(text)


def entry_time(entry_id: str) -> datetime:
    """Return when a stream entry was added, by its id (milliseconds, dash, sequence)."""
    return utc(int(entry_id.partition("-")[0]) / 1000)


CHECKLIST = Checklist(
    "health",
    "Health",
    (
        Item("connector", "connectors are ready", connector),
        Item("errors", "error logs do not grow", errors),
        Item("audit", "audit stream is populated", audit),
        Item("dead_letters", "dead-letter volume is acceptable", dead_letters),
    ),
)
