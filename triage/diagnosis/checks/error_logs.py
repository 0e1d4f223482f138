"""Does the bot log more or other errors than usual: templates, counts, what is new, what surges.

The window is the last ``triage.log_window_minutes``; the baseline the ``triage.log_baseline_hours``
that end one window before the trouble began, so that the trouble does not become its own usual. The window is
asked for first and its answer kept; the baseline comes afterwards, one question at a time and remembered for
some minutes: refused or late, it costs the comparison alone. Its errors are counted among its lines where all of them
came, else by Loki.

``data``: ``{"window_seconds",
"bots": {bot: {"count", "usual" (for one window; None: not known), "at_least": bool, "lines" (of any
level; None: not known), "not_understood", "templates": [cluster of errors], "others": [cluster of NETWORK and
WARNING]}}}``; a cluster is ``{"text", "count", "kind": "new"|"surging"|"known"|"unknown" (the usual is not known),
"usual", "first_at", "last_at" (ISO), "logger", "level", "example" (one line in full), "exception" (its traceback's last
line), "at_least"}``. ``"classes"``: ``[{"name" (of ``triage.logs.class_table``), "code", "generic": bool (only a
wrapper says so), "count", "usual" (None: not known), "fresh": bool, "first_at", "last_at", "late" (in the last five
minutes), "level", "logger", "example"}]``, of records of every level, read before numbers were masked. Texts are
masked. A bot whose streams hold no line at all is not in ``bots``. Where Loki cannot be asked, the last lines of the
bots' containers stand in: see ``error_logs_of_containers``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from triage.concurrency import all_of, attempt, together
from triage.diagnosis.bot_errors import BotErrors, LogWindow
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.checks.error_log_answers import (
    BotGroup,
    LogAnswers,
    judged,
    key_of,
    loud_before,
    read_baseline,
    recents,
)
from triage.diagnosis.checks.error_log_words import NAME, SOURCE, TITLE, finding_of
from triage.diagnosis.checks.error_logs_of_containers import of_containers
from triage.errors import SourceError
from triage.logs.lines import read_lines
from triage.model import Finding
from triage.ports.sources import LogLines
from triage.queries import logql

__all__ = ["NAME", "SOURCE", "TITLE", "run", "window_of"]

_TELLING = (
    "Kill switch threshold reached|reached max drawdown|Global drawdown reached|has failed. Order Update"
    "|Error .*in the DB"
    rf"|{logql.LOUD}|(?:\n|\\n)[^\n]*(?:\b(?:ERROR|CRITICAL|FATAL)\b|Traceback \(|\bpanic: |Exception in thread)"
)
"""What stops a strategy or names a cause, said below the level of a warning; and an error in one entry with a record of
less."""
_TELLING_MAX = 400
_LINES_MAX = 4000
_BOTS_MAX = 12
"""Where a selector cannot name several bots at once, each is asked about by itself: so many at the most."""
_GROUP_MAX = 200
_OWN_LINES, _OWN_BOTS = 500, 4
_KEPT_SECONDS = 600.0
_GRID_SECONDS = 300
"""The baseline ends at a full five minutes, so that triages of one time share it."""
_SHARE = 0.7
"""Of the deadline: what is not answered by then is done without."""

_ONSET, _REACH = timedelta(minutes=10), timedelta(hours=2)
_LEAST = timedelta(seconds=30)
"""A window shorter than this would find a bot silent that writes now and then."""


def window_of(ctx: CheckContext) -> LogWindow:
    """Return the window and its baseline.

    The window reaches back to before the trouble began, two hours at the most: what stopped a bot is told once. Whether
    an action of ours helped, only what was logged after it can tell: then the window begins at its end. A bot that logged
    since the action began, its start above all, is not silent: one that is well may say nothing for minutes.
    """
    length = timedelta(minutes=ctx.desk.triage.log_window_minutes)
    before = min(ctx.now, ctx.since) - length
    end = datetime.fromtimestamp(before.timestamp() // _GRID_SECONDS * _GRID_SECONDS, UTC)
    start = max(min(ctx.now - length, ctx.since - _ONSET), ctx.now - _REACH)
    log_seen_from = start
    if ctx.ours is not None:
        start = min(max(start, ctx.ours[1]), ctx.now - _LEAST)
        log_seen_from = min(start, ctx.ours[0])
    baseline_start = end - timedelta(hours=ctx.desk.triage.log_baseline_hours)
    return LogWindow(
        start=start, end=ctx.now, baseline_start=baseline_start, baseline_end=end, log_seen_from=log_seen_from
    )


async def run(ctx: CheckContext) -> Finding:
    """Ask Loki for the errors of each bot and compare them with the bot's own usual."""
    window = window_of(ctx)
    until = asyncio.get_running_loop().time() + _SHARE * ctx.desk.triage.deadline_seconds
    groups, asked = _groups(ctx)
    try:
        answers = await all_of(_of_group(ctx, group, window, until) for group in groups)
    except SourceError as error:
        return await of_containers(ctx, window, error)
    found: dict[str, BotErrors | None] = {}
    caveats: list[str] = []
    for errors, caveat in answers:
        found |= errors
        caveats += [caveat] if caveat and caveat not in caveats else []
    if asked < len(ctx.bots):
        caveats.append(f"{asked} of {len(ctx.bots)} bots were asked for")
    finding = finding_of(found, window)
    return replace(finding, why="; ".join(filter(None, (finding.why, *caveats))))


def _groups(ctx: CheckContext) -> tuple[list[BotGroup], int]:
    template = ctx.desk.triage.bot_log_selector
    if len(ctx.bots) > 1:
        chunks = [ctx.bots[start : start + _GROUP_MAX] for start in range(0, len(ctx.bots), _GROUP_MAX)]
        made = [(chunk, logql.grouped(template, chunk)) for chunk in chunks]
        groups = [BotGroup(chunk, *several) for chunk, several in made if several is not None]
        if groups:
            return groups, len(ctx.bots)
    bots = ctx.bots[:_BOTS_MAX]
    return [BotGroup((bot,), logql.from_template(template, bot=bot), "") for bot in bots], len(bots)


async def _of_group(
    ctx: CheckContext, group: BotGroup, window: LogWindow, until: float
) -> tuple[dict[str, BotErrors | None], str]:
    logs = ctx.sources.logs
    telling = group.selector + logql.like(_TELLING) + logql.like(logql.QUIET)
    lines, held, told = await together(
        attempt(
            logs.lines(
                group.selector + logql.unlike(logql.QUIET),
                start=window.start,
                end=window.end,
                limit=_LINES_MAX,
            )
        ),
        attempt(
            logs.counts(
                group.selector, by=group.label, end=window.end, window_seconds=window.log_seen_seconds
            )
        ),
        attempt(logs.lines(telling, start=window.start, end=window.end, limit=_TELLING_MAX)),
    )
    if isinstance(lines, SourceError) and isinstance(held, SourceError):
        raise lines
    answers = LogAnswers(lines, held, telling=told)
    caveats: list[str] = []
    try:
        async with asyncio.timeout_at(until):
            if not ctx.quick:
                await _afterwards(ctx, group, window, answers)
    except TimeoutError:
        caveats.append("there was no time left for the usual")
    refused = answers.refused()
    caveats += [refused] if refused else []
    for error in (lines, held):
        caveats += [f"partly unanswered: {error.why}"] if isinstance(error, SourceError) else []
    if isinstance(told, SourceError):
        caveats.append(f"causes logged below ERROR not known: {told.why}")
    # Thousands of lines take a tenth of a second of pure computing: not on the loop that answers clicks.
    return await asyncio.to_thread(judged, group, answers, window), "; ".join(caveats)


async def _afterwards(ctx: CheckContext, group: BotGroup, window: LogWindow, answers: LogAnswers) -> None:
    """Ask what the window's answer leaves open, one long question after the other; each answer is kept as it comes."""
    answers.compares = True
    answers.loud, _ = await together(
        attempt(_loud(ctx, group, window, answers)), _ask_before(ctx, group, window, answers)
    )
    await _ask_more(ctx, group, window, answers)
    # The baseline's lines are read while Loki counts: thousands of them take as long.
    answers.usual, _ = await together(
        attempt(_usual(ctx, group, window, answers)), asyncio.to_thread(read_baseline, group, answers)
    )
    answers.spoke = await attempt(_spoke(ctx, group, window, answers.usual))


async def _ask_before(ctx: CheckContext, group: BotGroup, window: LogWindow, answers: LogAnswers) -> None:
    """Ask for the baseline of what the window holds; where it holds nothing there is nothing to compare."""
    for name, query, now, limit in (
        ("before", group.selector + logql.unlike(logql.QUIET), answers.lines, _LINES_MAX),
        (
            "telling_before",
            group.selector + logql.like(_TELLING) + logql.like(logql.QUIET),
            answers.telling,
            _TELLING_MAX,
        ),
    ):
        if isinstance(now, LogLines) and now.lines:
            found = await attempt(
                ctx.sources.logs.lines(
                    query,
                    start=window.baseline_start,
                    end=window.baseline_end,
                    limit=limit,
                    kept_seconds=_KEPT_SECONDS,
                )
            )
            setattr(answers, name, found)
            answers.usual = loud_before(group, answers)


async def _usual(
    ctx: CheckContext, group: BotGroup, window: LogWindow, answers: LogAnswers
) -> Mapping[str, int]:
    """Count the errors of the baseline: its own lines have told where all of them came, else Loki is asked."""
    if isinstance(answers.usual, Mapping):
        return answers.usual
    return await ctx.sources.logs.counts(
        group.selector + logql.like(logql.LOUD),
        by=group.label,
        end=window.baseline_end,
        window_seconds=window.baseline_seconds,
        kept_seconds=_KEPT_SECONDS,
    )


async def _loud(
    ctx: CheckContext, group: BotGroup, window: LogWindow, answers: LogAnswers
) -> Mapping[str, int] | None:
    """Let Loki count the errors itself, where there is anything to compare its count with."""
    recent = await asyncio.to_thread(recents, group, answers)
    if not any(each.cut or each.loud_read or each.reading.error_like for each in recent.values()):
        return None
    loud = group.selector + logql.like(logql.LOUD)
    return await ctx.sources.logs.counts(loud, by=group.label, end=window.end, window_seconds=window.seconds)


async def _spoke(
    ctx: CheckContext, group: BotGroup, window: LogWindow, usual: Mapping[str, int] | SourceError | None
) -> Mapping[str, int]:
    """Count each bot's lines of the baseline, of any level: a bot that had errors there has spoken."""
    if usual is None or isinstance(usual, SourceError):
        return {}
    if all(key_of(group, bot) in usual for bot in group.bots):
        return usual
    return await ctx.sources.logs.counts(
        group.selector,
        by=group.label,
        end=window.baseline_end,
        window_seconds=window.baseline_seconds,
        kept_seconds=_KEPT_SECONDS,
    )


async def _ask_more(ctx: CheckContext, group: BotGroup, window: LogWindow, answers: LogAnswers) -> None:
    """Ask for a bot's own lines where others filled the limit, and for all levels where too little was understood."""
    if isinstance(answers.lines, SourceError):
        return
    template, logs = ctx.desk.triage.bot_log_selector, ctx.sources.logs
    recent = await asyncio.to_thread(recents, group, answers)
    hidden = [bot for bot, each in recent.items() if each.cut and (each.loud or 0) > each.loud_read]
    for bot in hidden[:_OWN_BOTS] if len(group.bots) > 1 else ():
        selector = logql.from_template(template, bot=bot) + logql.unlike(logql.QUIET)
        own = await attempt(logs.lines(selector, start=window.start, end=window.end, limit=_OWN_LINES))
        if isinstance(own, LogLines):
            answers.take_own(bot, own)
    for bot in [bot for bot, each in recent.items() if each.loose_flood][:_OWN_BOTS]:
        selector = logql.from_template(template, bot=bot)
        all_levels = await attempt(logs.lines(selector, start=window.start, end=window.end, limit=_OWN_LINES))
        if isinstance(all_levels, LogLines):
            answers.samples[bot] = read_lines(all_levels.lines)
