"""``dashboard``: what watches the desk works, and was seen to work lately."""

from __future__ import annotations

import asyncio

from triage.diagnosis.checks.base import by_label
from triage.diagnosis.checks.watchers import JOB
from triage.ports.sources import unread_rules, unread_targets
from triage.queries.logql import from_template
from triage.reports.checklists.model import (
    Checklist,
    ChecklistContext,
    Item,
    ItemAnswer,
    failed,
    passed,
    unknown,
)
from triage.wording import duration, listed

REFRESH_SECONDS = 30.0
LOGS_WINDOW_SECONDS = 900.0
DRILL_DAYS = 8
"""A weekly drill may be a day late."""


async def target(context: ChecklistContext) -> ItemAnswer:
    """The bot-metrics target is up."""
    every = await context.sources.metrics.targets()
    targets = [target for target in every if target.job == JOB and not target.unread]
    unread = unread_targets([target for target in every if target.job in {JOB, ""}])
    if not targets and not unread:
        return failed(f"Prometheus has no target of job {JOB}")
    down = [target for target in targets if target.health != "up"]
    if down:
        return failed(
            listed([f"{target.instance} is {target.health}: {target.last_error}" for target in down])
        )
    return unknown(unread_targets(every)) if unread else passed(f"{len(targets)} up")


async def datasources(context: ChecklistContext) -> ItemAnswer:
    """Grafana says that its datasources are healthy."""
    found = await context.dashboards.datasources()
    if not found:
        return failed("Grafana has no datasource")
    ill = [f"{source.name}: {source.message or 'unhealthy'}" for source in found if source.healthy is False]
    if ill:
        return failed(listed(ill))
    answering = [source.name for source in found if source.healthy]
    unasked = [source.name for source in found if source.healthy is None]
    if not answering:
        return unknown(f"no check for {listed(unasked)}")
    return passed(listed(answering) + (f"; no check for {listed(unasked)}" if unasked else ""))


async def dashboards(context: ChecklistContext) -> ItemAnswer:
    """The desk's dashboards are there, and their panels return data."""
    titles = context.desk.triage.dashboards
    if not titles:
        return unknown("triage.dashboards of desk.yaml names none")
    found = [await context.dashboards.dashboard(title) for title in titles]
    missing = [f"there is no dashboard {one.title!r}" for one in found if not one.found]
    dark = [f"{one.title}: no data in {listed(one.without_data)}" for one in found if one.without_data]
    unasked = [f"{one.title}: no panel that could be asked" for one in found if one.found and not one.panels]
    if missing or dark:
        return failed(listed([*missing, *dark, *unasked]))
    if unasked:
        return unknown(listed(unasked))
    return passed(listed([f"{one.title}: {one.panels} panels" for one in found]))


async def loki(context: ChecklistContext) -> ItemAnswer:
    """Loki returns records of each bot's log."""
    template = context.desk.triage.bot_log_selector

    async def count(bot: str) -> int | None:
        return await context.sources.logs.count(
            from_template(template, bot=bot), end=context.now, window_seconds=LOGS_WINDOW_SECONDS
        )

    counts = dict(zip(context.bots, await asyncio.gather(*map(count, context.bots)), strict=True))
    silent = [bot for bot, lines in counts.items() if not lines]
    seen = ", ".join(f"{bot} {lines or 0} lines" for bot, lines in counts.items())
    text = f"{seen} in {duration(LOGS_WINDOW_SECONDS)}"
    return failed(f"no records of {listed(silent)}; {text}") if silent else passed(text)


async def refresh(context: ChecklistContext) -> ItemAnswer:
    """The per-bot series are younger than 30 s."""
    query = "max by (bot) (time() - timestamp(hbot_bot_state))"
    answer = await context.sources.metrics.query(query, partly=True)
    ages = by_label(answer, "bot")
    missing = [bot for bot in context.bots if bot not in ages]
    if missing and answer.unread:
        return unknown(f"{listed(list(answer.warnings))}; of {listed(missing)} none could")
    if missing:
        return failed(f"no series of {listed(missing)}")
    oldest = max(ages, key=lambda bot: ages[bot])
    text = f"the oldest, of {oldest}, is {duration(ages[oldest])} old"
    return passed(text) if ages[oldest] < REFRESH_SECONDS else failed(text)


async def rules(context: ChecklistContext) -> ItemAnswer:
    """The alert rules are loaded and evaluate without errors."""
    found, reload = await asyncio.gather(
        context.sources.metrics.rules(),
        context.sources.metrics.query("min(prometheus_config_last_reload_successful)"),
    )
    if not found:
        return failed("Prometheus has no alert rules")
    bad = [f"{rule.name}: {rule.last_error or rule.health}" for rule in found if rule.health == "err"]
    if bad:
        return failed(listed(bad))
    if any(sample.value == 0 for sample in reload.samples):
        return failed("Prometheus could not load its configuration the last time")
    if unread := unread_rules(found):
        return unknown(unread)
    return passed(f"{len(found)} rules")


async def drill(context: ChecklistContext) -> ItemAnswer:
    """A controlled alert came through not long ago."""
    if context.drilled_at is None:
        return failed("no drill has come through yet: run /triage drill")
    days = (context.now - context.drilled_at).total_seconds() / 86_400
    text = f"the last one came through {context.drilled_at:%Y-%m-%d %H:%M} UTC"
    return passed(text) if days <= DRILL_DAYS else failed(f"{text}, {days:.0f} days ago: run /triage drill")


CHECKLIST = Checklist(
    "dashboard",
    "Dashboards and alerting",
    (
        Item("target", "bot-metrics target is up", target),
        Item("datasources", "Grafana datasources are healthy", datasources),
        Item("dashboards", "the desk's dashboards return data", dashboards),
        Item("loki", "Loki returns records", loki),
        Item("refresh", "KPI series refresh in under 30 s", refresh),
        Item("rules", "alert rules load without errors", rules),
        Item("drill", "a controlled alert test was made", drill),
    ),
)
