"""Asks Prometheus how the bots stand, in one small question that can be asked every few seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from triage.concurrency import all_of, attempt, together
from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.diagnosis.checks.base import by_label
from triage.diagnosis.checks.bot_state import LOOK_BACK, STEP_SECONDS, held
from triage.errors import SourceError
from triage.ports.minutes import Minutes, NewestMinute
from triage.ports.sources import Metrics, Sample
from triage.queries import promql
from triage.signals.guard_reasons import URGENCY
from triage.signals.trading import BotTrading, Trading

_ORDERS, _BASE, _PNL = "hbot_bot_orders_active", "hbot_bot_base_pct", "hbot_bot_daily_pnl_quote"
_EQUITY, _LOSS = "hbot_bot_equity_quote", "hbot_bot_daily_loss_pct"
_STATE, _REASONS = "hbot_bot_state", "hbot_bot_risk_reasons_info"
_FAMILY = (_ORDERS, _BASE, _PNL, _EQUITY, _LOSS, _STATE, _REASONS)
_KNOWN_STATES = (*URGENCY, "")
FILES = "minute.csv"
"""Where trading is read while Prometheus does not know it."""
_NO_REASONS = frozenset({"", "none", "unknown"})


async def look_at_bots(metrics: Metrics, desk: Desk, now: datetime) -> Trading:
    """Return how every bot of the desk stands. Raises SourceError."""
    names = tuple(bot.name for bot in desk.bots)
    answer, ages = await together(
        metrics.query(promql.family(_FAMILY, any_of=names), partly=True),
        metrics.query(_age(names), partly=True),
    )
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for sample in answer.samples:
        if math.isfinite(sample.value) and sample.labels.get("bot") in samples:
            samples[sample.labels["bot"]].append(sample)
    by_bot = by_label(ages, "bot")
    bots = tuple(
        BotTrading(bot.name, monitors=bot.monitors)
        if ages.unread and bot.name not in by_bot  # whether its state is an old one is not known
        else _aged(
            _read(bot, samples[bot.name]), by_bot.get(bot.name), desk.triage.snapshot_stale_seconds, now
        )
        for bot in desk.bots
    )
    return Trading(now, bots)


def _age(names: tuple[str, ...]) -> str:
    """Return the question for snapshots' ages; Prometheus' own clock and the exporter's stand on one host."""
    stamp = promql.selector("hbot_bot_snapshot_timestamp_seconds", any_of=names)
    exported = promql.selector("hbot_bot_snapshot_age_seconds", any_of=names)
    return f"(time() - max by (bot) ({stamp})) or max by (bot) ({exported})"


def _read(bot: Bot, samples: list[Sample]) -> BotTrading:
    one = BotTrading(bot.name, monitors=bot.monitors)
    values: dict[str, float] = {}
    for sample in samples:
        metric = sample.labels.get("__name__", "")
        one = replace(one, pair=one.pair or sample.labels.get("pair", ""))
        if metric == _STATE and sample.value == 1:
            one = replace(one, state=_more_urgent(one.state, sample.labels.get("state", "")))
        elif metric == _REASONS and sample.value == 1:
            found = {*one.reasons, *sample.labels.get("reasons", "").split("|")} - _NO_REASONS
            one = replace(one, reasons=tuple(sorted(found)))
        else:
            values[metric] = sample.value
    return replace(
        one,
        reasons=() if one.state == "running" else one.reasons,
        orders=values.get(_ORDERS),
        base=values.get(_BASE),
        pnl=values.get(_PNL),
        today=_today(values),
    )


def _more_urgent(known: str, state: str) -> str:
    return min(known, state, key=lambda each: _KNOWN_STATES.index(each) if each in _KNOWN_STATES else 0)


def _today(values: Mapping[str, float]) -> float | None:
    """Return the day's result as a fraction of the equity it began with, else the loss that the bot itself reckons."""
    pnl, equity = values.get(_PNL), values.get(_EQUITY)
    if pnl is not None and equity is not None and equity - pnl > 0:
        return pnl / (equity - pnl)
    loss = values.get(_LOSS)
    return -loss if loss else None


def _aged(one: BotTrading, age: float | None, stale_seconds: float, now: datetime) -> BotTrading:
    if age is None or not math.isfinite(age):
        return one
    return replace(one, seen_at=now - timedelta(seconds=max(0.0, age)), silent=age > stale_seconds)


async def filled_from_files(
    trading: Trading, minutes: Minutes, stale_seconds: float, since: datetime | None = None
) -> Trading:
    """Return the same with what the bots' own files say of those that Prometheus does not know as of now.

    A file whose newest minute is too old says nothing more than that. Where no file says anything, all stays as it was.
    ``since``: a minute from before it is none, as where an action has ended meanwhile.
    """
    unknown = [one for one in trading.bots if not one.known]
    rows = await all_of(attempt(minutes.minute(one.bot)) for one in unknown)
    found: dict[str, BotTrading] = {}
    for one, row in zip(unknown, rows, strict=True):
        if not isinstance(row, NewestMinute) or not row.state or (since is not None and row.at < since):
            continue
        silent = (trading.looked_at - row.at).total_seconds() > stale_seconds
        if not silent or not one.state:
            found[one.bot] = replace(_of_minute(one.bot, row, silent=silent), monitors=one.monitors)
    if not found:
        return trading
    bots = tuple(found.get(one.bot, one) for one in trading.bots)
    return replace(trading, bots=bots, why="", source=FILES)


def _of_minute(bot: str, row: NewestMinute, *, silent: bool) -> BotTrading:
    return BotTrading(
        bot,
        row.state,
        reasons=() if row.state == "running" else row.reasons,
        seen_at=row.at,
        silent=silent,
        orders=row.orders,
        today=-row.daily_loss if row.daily_loss else None,
        base=row.base,
        pair=row.pair,
    )


async def with_beginnings(metrics: Metrics, trading: Trading, known: Trading | None) -> Trading:
    """Return the same with since when each bot that does not trade is in its state.

    What is known from the look before is kept; only for a state that nobody saw begin the history is asked.
    """
    bots = tuple(_kept(one, known, trading.looked_at) for one in trading.bots)
    unknown = [one.bot for one in bots if one.known and not one.trades and one.since is None]
    if not unknown:
        return replace(trading, bots=bots)
    try:
        began = await _began(metrics, unknown, trading.looked_at)
    except SourceError:  # a line without its "since" is still true
        return replace(trading, bots=bots)
    return replace(
        trading,
        bots=tuple(
            replace(one, since=began.get((one.bot, one.state))) if one.bot in unknown else one for one in bots
        ),
    )


def with_known_beginnings(trading: Trading, known: Trading | None) -> Trading:
    """Return the same with the beginnings that the look before knew, and those that were seen since."""
    return replace(trading, bots=tuple(_kept(one, known, trading.looked_at) for one in trading.bots))


def _kept(one: BotTrading, known: Trading | None, now: datetime) -> BotTrading:
    before = known.of(one.bot) if known is not None else None
    if before is None or not before.state or not one.state:
        return one
    if before.state == one.state:
        return replace(one, since=before.since)
    return replace(one, since=one.seen_at or now)


async def _began(metrics: Metrics, names: list[str], now: datetime) -> dict[tuple[str, str], datetime]:
    found = await metrics.query_range(
        f"max by (bot, state) ({promql.selector(_STATE, any_of=names)})",
        start=now - LOOK_BACK,
        end=now,
        step_seconds=STEP_SECONDS,
    )
    began = {}
    if found.warnings:  # what was left out may be when it turned
        return {}
    for series in found.series:
        seconds, at_least = held(series, now)
        if seconds is not None and not at_least:
            place = (series.labels.get("bot", ""), series.labels.get("state", ""))
            began[place] = now - timedelta(seconds=seconds)
    return began
