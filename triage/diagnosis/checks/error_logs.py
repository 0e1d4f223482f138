"""Does the bot log more or other errors than usual: templates, counts, what is new, what surges.

The window is the last ``triage.log_window_minutes``; the baseline the ``triage.log_baseline_hours``
that end one window before the trouble began, so that the trouble does not become its own usual.

``data``: ``{"bots": {bot: {"count", "usual" (for one window; None: no baseline), "at_least": bool,
"templates": [{"text", "count", "kind": "new"|"surging"|"known", "usual", "first_at" (ISO), "logger",
"example"}], "classes": [{"name" (of ``log_classes``), "code", "generic": bool (only a wrapper says so),
"count", "usual", "fresh": bool, "first_at", "last_at", "level", "logger", "example"}] (lines of every level,
read before numbers were masked)}}}``. Texts are masked. A bot whose streams hold no line at all is not in ``bots``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage.diagnosis.checks.base import CheckContext, all_of, together, worst_status
from triage.diagnosis.log_classes import classes_of
from triage.diagnosis.log_lines import error_lines
from triage.diagnosis.log_templates import Novelty, Template, compare, shortened, templates
from triage.model import Finding, FindingStatus, Json
from triage.ports.sources import LogLines
from triage.queries import logql
from triage.wording import clock_time, listed, number, times

NAME = "error_logs"
TITLE = "Error logs"
SOURCE = "Loki"

LEVEL = " - ERROR - "
_OTHER_LEVELS = (" - DEBUG - ", " - INFO - ", " - WARNING - ")
_TELLING = (
    " - WARNING - |Kill switch threshold reached|reached max drawdown|Global drawdown reached"
    "|has failed. Order Update|Error .*in the DB"
)
"""A wrapper's twin, a closed websocket, what stops a strategy: said below the level of an error."""
_TELLING_MAX = 400
_LINES_MAX = 2000
_BASELINE_LINES_MAX = 1000
_BOTS_MAX = 12
"""Four questions a bot: in a storm of sixty bots Loki shall not be a victim of the triage too."""
_SHOWN = 5
_KEPT = 20
_SPIKE = 20
"""The desk's own rule (BotLogErrorSpike) calls more than this a spike."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which lines are compared with which."""

    start: datetime
    end: datetime
    baseline_start: datetime
    baseline_end: datetime

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.end - self.start).total_seconds()

    @property
    def share(self) -> float:
        """Length of the window over the length of the baseline."""
        return self.seconds / (self.baseline_end - self.baseline_start).total_seconds()


@dataclass(frozen=True, slots=True)
class BotErrors:
    """One bot's errors in the window; ``usual`` None: there is no baseline."""

    count: int
    usual: float | None
    at_least: bool
    found: tuple[Novelty, ...]
    classes: tuple[dict[str, Json], ...] = ()

    @property
    def status(self) -> FindingStatus:
        """New errors or clearly more than usual are a warning, a flood of them is critical."""
        usual = self.usual or 0.0
        if self.count > _SPIKE and self.count > 5 * usual:
            return FindingStatus.CRITICAL
        fresh = self.usual is not None and any(each.kind != "known" for each in self.found)
        more = self.count >= 5 and self.count > 3 * usual  # noqa: PLR2004 - five errors are the least that is "more"
        return FindingStatus.WARNING if fresh or more else FindingStatus.OK


def window_of(ctx: CheckContext) -> Window:
    """Return the window and its baseline."""
    length = timedelta(minutes=ctx.desk.triage.log_window_minutes)
    before = min(ctx.now, ctx.since) - length
    return Window(
        ctx.now - length, ctx.now, before - timedelta(hours=ctx.desk.triage.log_baseline_hours), before
    )


async def run(ctx: CheckContext) -> Finding:
    """Ask Loki for the errors of each bot and compare them with the bot's own usual."""
    window = window_of(ctx)
    asked = ctx.bots[:_BOTS_MAX]
    answers = await all_of(_errors(ctx, bot, window) for bot in asked)
    found = {bot: errors for bot, errors in zip(asked, answers, strict=True) if errors is not None}
    silent = [bot for bot in asked if bot not in found]
    finding = _finding(found, silent, window)
    if len(ctx.bots) > len(asked):
        left = f"{len(asked)} of {len(ctx.bots)} bots were asked for"
        finding = replace(finding, why="; ".join(filter(None, (finding.why, left))))
    return finding


async def _errors(ctx: CheckContext, bot: str, window: Window) -> BotErrors | None:
    selector = logql.from_template(ctx.desk.triage.bot_log_selector, bot=bot)
    logs = ctx.sources.logs
    plain = selector + logql.without(*_OTHER_LEVELS)
    telling = selector + logql.matching(_TELLING)
    span = (window.baseline_end - window.baseline_start).total_seconds()
    (total, usual), (lines, before), (said, said_before) = await together(
        together(
            logs.count(selector, contains=LEVEL, end=window.end, window_seconds=window.seconds),
            logs.count(selector, contains=LEVEL, end=window.baseline_end, window_seconds=span),
        ),
        together(
            logs.lines(plain, start=window.start, end=window.end, limit=_LINES_MAX),
            logs.lines(
                plain, start=window.baseline_start, end=window.baseline_end, limit=_BASELINE_LINES_MAX
            ),
        ),
        together(
            logs.lines(telling, start=window.start, end=window.end, limit=_TELLING_MAX),
            logs.lines(telling, start=window.baseline_start, end=window.baseline_end, limit=_TELLING_MAX),
        ),
    )
    if total is None:
        return None
    # Thousands of lines take a tenth of a second of pure computing: not on the loop that serves Slack.
    return await asyncio.to_thread(
        _compared, total, _merged(lines, said), usual, _merged(before, said_before), window
    )


def _merged(lines: LogLines, said: LogLines) -> LogLines:
    """A traceback's lines come with the errors, its head with the warnings: in their order they fit together."""
    every = {(line.at, line.text, *sorted(line.labels.items())): line for line in (*lines.lines, *said.lines)}
    return LogLines(tuple(sorted(every.values(), key=lambda line: line.at)), lines.truncated)


def _compared(total: int, lines: LogLines, usual: int | None, before: LogLines, window: Window) -> BotErrors:
    now = error_lines(lines.lines)
    then = error_lines(before.lines)
    covered = (window.baseline_end - window.baseline_start).total_seconds()
    if before.truncated and before.lines:
        covered = max(1.0, (window.baseline_end - before.lines[0].at).total_seconds())
    share = window.seconds / covered
    found = compare(templates(now), templates(then), share=share)
    return BotErrors(
        count=max(len(now), total) if lines.truncated else len(now),
        usual=None if usual is None else usual * window.share,
        at_least=lines.truncated,
        found=found,
        classes=tuple(
            classes_of(error_lines(lines.lines, None), error_lines(before.lines, None), share=share)
        ),
    )


def _finding(found: Mapping[str, BotErrors], silent: list[str], window: Window) -> Finding:
    minutes = number(window.seconds / 60)
    statuses = [errors.status for errors in found.values()] + [FindingStatus.UNKNOWN for _ in silent]
    heads = {bot: _head(errors, minutes) for bot, errors in found.items()}
    heads |= dict.fromkeys(silent, f"no log line at all in {minutes} min")
    single = len(heads) == 1
    why = f"Loki holds no line of {listed(silent)} in the last {minutes} min" if silent else ""
    details: list[str] = []
    for bot, head in heads.items():
        details.extend([] if single else [f"{bot}: {head}"])
        details.extend(_lines(found[bot].found, _SHOWN if single else 2) if bot in found else [])
    return Finding(
        name=NAME,
        status=worst_status(statuses),
        headline=next(iter(heads.values())) if single else _summary(found, silent, minutes),
        source=SOURCE,
        why=why,
        details=tuple(details),
        data={"bots": {bot: _data(errors) for bot, errors in found.items()}},
    )


def _head(errors: BotErrors, minutes: str) -> str:
    bound = "≥ " if errors.at_least else ""
    usual = "usual not known" if errors.usual is None else f"usual: {_usual(errors.usual)}"
    return f"{bound}{errors.count} in {minutes} min ({usual})"


def _usual(count: float) -> str:
    return "0" if count == 0 else "< 1" if count < 1 else number(round(count))


def _lines(found: tuple[Novelty, ...], limit: int) -> list[str]:
    order = {"new": 0, "surging": 1, "known": 2}
    ranked = sorted(found, key=lambda each: (order[each.kind], -each.template.count, each.template.text))
    lines = [_line(each.kind, shortened(each.template)) for each in ranked[:limit]]
    if len(ranked) > limit:
        lines.append(f"and {len(ranked) - limit} more templates")
    return lines


def _line(kind: str, template: Template) -> str:
    return f"{times(template.count)} {kind}  {template.text}  first {clock_time(template.first_at)}"


def _summary(found: Mapping[str, BotErrors], silent: list[str], minutes: str) -> str:
    loud = [f"{bot} {errors.count}" for bot, errors in found.items() if errors.count]
    text = f"errors in {minutes} min: {listed(loud) or 'none'}"
    return f"{text} · no lines: {listed(silent)}" if silent else text


def _data(errors: BotErrors) -> dict[str, Json]:
    return {
        "count": errors.count,
        "usual": errors.usual,
        "at_least": errors.at_least,
        "templates": [
            {
                "text": each.template.text,
                "count": each.template.count,
                "kind": each.kind if errors.usual is not None else "known",
                "usual": each.usual,
                "first_at": each.template.first_at.isoformat(),
                "logger": each.template.logger,
                "example": each.template.example[:400],
            }
            for each in errors.found[:_KEPT]
        ],
        "classes": list(errors.classes[:_KEPT]),
    }
