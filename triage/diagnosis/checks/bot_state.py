"""Is the bot running, since when, and does it earn: state, snapshot age, net edge, guard reasons.

``data``: ``{"bots": {bot: {...}}}`` with ``state`` (running | soft_pause | hard_stop | None), ``frozen``
(its snapshot is too old for the state to mean anything), ``age_seconds``, ``held_seconds`` and
``held_at_least`` (how long the state has been held; at least: it filled the whole look-back),
``net_edge``, ``net_edge_15m``, ``drawdown``, ``daily_loss``, ``base_pct`` (fractions), ``edge_gate``
(bool or None), ``reasons`` (list of guard reasons), ``orders``, ``daily_pnl`` (quote),
``cancel_per_min``, ``turnover`` (x), ``error_lines``, ``regime``, ``turns_hour`` (how often it began to run in the last
hour). What is not measured is None; ``no_number`` names what is on show as NaN or infinite. Where several exporters show
a bot, the newest counts and none is mixed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import pairwise

from triage.concurrency import attempt, together
from triage.diagnosis.checks.base import (
    NO_SERIES,
    CheckContext,
    answer_or_none,
    partial,
    refused,
    whole_or_unknown,
    worst_status,
)
from triage.diagnosis.checks.bot_now import BotNow
from triage.diagnosis.checks.bot_words import describe
from triage.diagnosis.checks.exporters import BY, age_query, newest
from triage.errors import SourceBadAnswer, SourceError
from triage.model import Finding
from triage.ports.sources import Sample, Series
from triage.queries import promql
from triage.signals.guard_reasons import URGENCY, state_in_words
from triage.wording import listed

NAME = "bot_state"
TITLE = "Bot state"
SOURCE = "Prometheus"

LOOK_BACK = timedelta(hours=6)
STEP_SECONDS = 60.0
_GAP = timedelta(seconds=5 * STEP_SECONDS)
_HOUR = timedelta(hours=1)
_VALUES = {
    "hbot_bot_net_edge_pct": "net_edge",
    "hbot_bot_drawdown_pct": "drawdown",
    "hbot_bot_daily_loss_pct": "daily_loss",
    "hbot_bot_base_pct": "base_pct",
    "hbot_bot_orders_active": "orders",
    "hbot_bot_daily_pnl_quote": "daily_pnl",
    "hbot_bot_cancel_per_min": "cancel_per_min",
    "hbot_bot_turnover_today_x": "turnover",
    "hbot_bot_recent_error_lines": "error_lines",
}
_FAMILY = (*_VALUES, "hbot_bot_state", "hbot_bot_soft_pause_edge", "hbot_bot_risk_reasons_info")


async def run(ctx: CheckContext) -> Finding:
    """Ask Prometheus for the bots' states, ages and edges."""
    metrics, bots = ctx.sources.metrics, ctx.bots
    current, age, edge, history = await together(
        metrics.query(promql.family(_FAMILY, any_of=bots), partly=True),
        attempt(metrics.query(age_query(bots), partly=True)),
        attempt(metrics.query(_edge(bots), partly=True)),
        attempt(
            metrics.query_range(
                f"max by ({BY}, state) ({promql.selector('hbot_bot_state', any_of=bots)})",
                start=ctx.now - LOOK_BACK,
                end=ctx.now,
                step_seconds=STEP_SECONDS,
                partly=True,
            )
        ),
    )
    ages, mean = answer_or_none(age), answer_or_none(edge)
    exporters = newest(ages, current.samples)
    found = {bot: BotNow() for bot in bots}
    _read_values(found, exporters.of_chosen(current.samples))
    _read_ages(found, exporters.ages, ctx.desk.triage.snapshot_stale_seconds)
    _read_means(found, exporters.of_chosen(mean.samples))
    past = NO_SERIES if isinstance(history, SourceError) else history
    _read_history(found, exporters.of_chosen(past.series), ctx.now)
    caveats = (partial(current, ages, mean, past), refused(age, edge, history), exporters.caveat(bots))
    left_out = [bot for bot in bots if current.unread and found[bot].state is None]  # it may show one
    if left_out and len(left_out) == len(bots):
        raise SourceBadAnswer(SOURCE, "; ".join(current.warnings))
    for bot in left_out:
        del found[bot]
    finding = state_finding(found, "; ".join(filter(None, caveats)), left_out)
    status = whole_or_unknown(exporters.status(finding.status, bots), current, age)
    return replace(finding, status=status)


def _edge(bots: tuple[str, ...]) -> str:
    """The mean of all samples, whatever regime they were taken in: a mean of means would not be.

    One NaN makes a mean over it NaN: where that is so, the mean of what equals itself, looked at every 15 s.
    """
    series = promql.selector("hbot_bot_net_edge_pct", any_of=bots)

    def mean(over: str) -> str:
        return f"sum by ({BY}) (sum_over_time({over})) / sum by ({BY}) (count_over_time({over}))"

    every, numbers = mean(f"{series}[15m]"), mean(f"({series} == {series})[15m:15s]")
    return f"(({every}) == ({every})) or ({numbers})"


def _read_means(found: Mapping[str, BotNow], samples: Iterable[Sample]) -> None:
    for sample in samples:
        bot = found.get(sample.labels.get("bot", ""))
        if bot is not None and math.isfinite(sample.value):
            bot.net_edge_15m = sample.value


def _read_values(found: Mapping[str, BotNow], samples: Iterable[Sample]) -> None:
    for sample in samples:
        bot = found.get(sample.labels.get("bot", ""))
        if bot is None:
            continue
        metric = sample.labels.get("__name__", "")
        if not math.isfinite(sample.value):
            name = _VALUES.get(metric)
            if name is not None and name not in bot.no_number:
                bot.no_number.append(name)
            continue
        if metric in _VALUES:
            setattr(bot, _VALUES[metric], sample.value)
        elif metric == "hbot_bot_soft_pause_edge":
            bot.edge_gate = sample.value > 0
        elif metric == "hbot_bot_risk_reasons_info" and sample.value == 1:
            bot.reasons = sorted(
                {*bot.reasons, *filter(None, sample.labels.get("reasons", "").split("|"))}
                - {"none", "unknown"}
            )
        elif metric == "hbot_bot_state" and sample.value == 1:
            bot.state = _more_urgent(bot.state, sample.labels.get("state", ""))
            bot.regime = sample.labels.get("regime", "")


def _more_urgent(known: str | None, state: str) -> str:
    ranked = [name for name in URGENCY if name in (known, state)]
    return ranked[0] if ranked else state


def _read_ages(found: Mapping[str, BotNow], ages: Mapping[str, float], stale_seconds: float) -> None:
    for name, bot in found.items():
        bot.age_seconds = ages.get(name)
        bot.frozen = bot.age_seconds is not None and bot.age_seconds > stale_seconds


def _read_history(found: Mapping[str, BotNow], history: Iterable[Series], now: datetime) -> None:
    for series in history:
        bot = found.get(series.labels.get("bot", ""))
        if bot is not None and series.labels.get("state") == bot.state:
            bot.held_seconds, bot.held_at_least = held(series, now)
        if bot is not None and series.labels.get("state") == "running":
            bot.turns_hour = turns(series, now - _HOUR)


def turns(series: Series, since: datetime) -> int:
    """Return how often a series rose from 0 to 1, or came back after a gap, since then."""
    values = [(at, value == 1) for at, value in series.points if at >= since]
    return sum(
        up and (not before or (at - earlier).total_seconds() > 2 * STEP_SECONDS)
        for (earlier, before), (at, up) in pairwise(values)
    )


def held(series: Series, now: datetime) -> tuple[float | None, bool]:
    """Return for how long the series has been 1 without a break, and whether that is a lower bound.

    A gap of more than five steps ends the look back: before it nothing is known.
    """
    since: datetime | None = None
    later = now
    for at, value in reversed(series.points):
        if value != 1:
            return ((now - since).total_seconds() if since else None), False
        if later - at > _GAP:
            break
        since = later = at
    return ((now - since).total_seconds() if since else None), True


def state_finding(
    found: Mapping[str, BotNow], caveat: str = "", left_out: list[str] | tuple[str, ...] = ()
) -> Finding:
    """Return the finding of what the metrics say of some bots; ``caveat`` is what was not answered.

    ``left_out``: bots of which what was answered cannot be read.
    """
    status = worst_status(bot.status for bot in found.values())
    missing = [name for name, bot in found.items() if bot.state is None]
    single = len(found) + len(left_out) == 1
    lines = [describe(bot) if single else f"{name}: {describe(bot)}" for name, bot in found.items()]
    why = f"no hbot_bot_state series for {listed(missing)}" if missing else ""
    why = f"no state that can be read of {listed(left_out)}" if left_out else why
    odd = [
        f"{name}: no number for {listed([each.replace('_', ' ') for each in bot.no_number], 10)}"
        for name, bot in found.items()
        if bot.no_number
    ]
    why = "; ".join(filter(None, (why, *odd[:3])))
    return Finding(
        name=NAME,
        status=status,
        headline=lines[0] if single else _summary(found),
        source=SOURCE,
        why="; ".join(filter(None, (why, caveat))),
        details=() if single else tuple(lines),
        data={"bots": {name: asdict(bot) for name, bot in found.items()}},
    )


def _summary(found: Mapping[str, BotNow]) -> str:
    words: dict[str, list[str]] = {}
    for name, bot in found.items():
        words.setdefault("frozen" if bot.frozen else state_in_words(bot.state) or "no data", []).append(name)
    return " · ".join(f"{state}: {listed(names)}" for state, names in words.items()) or "no bots"
