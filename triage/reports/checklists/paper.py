"""``paper``: the paper trade start-up of the runbook, read from the YAML files and the newest minute."""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.loaded_controllers import MARKETS, LoadedControllers, loaded, named_in
from triage.errors import DeskFailure, SourceError
from triage.model import Json
from triage.ports.checklists import PaperDiagnostics
from triage.reports.checklists.model import (
    Checklist,
    ChecklistContext,
    Item,
    ItemAnswer,
    failed,
    passed,
    unknown,
)
from triage.untrusted_text import one_line
from triage.wording import duration, listed, percent

PAPER_CONNECTOR = "bitget_paper_trade"
EXCHANGE = "bitget"
REALISTIC: Mapping[str, tuple[float, float]] = {"BTC": (0.001, 1_000.0), "USDT": (50.0, 10_000_000.0)}
"""Balances outside are no test of anything: nothing to trade with, or more than any desk has."""


async def connector(context: ChecklistContext) -> ItemAnswer:
    """Every controller that a running script loads trades on paper, and so does a script with its own markets."""
    faults: list[str] = []
    unclear: list[str] = []
    files = 0
    for bot in context.bots:
        known = context.desk.bot(bot)
        try:
            read = await context.controllers.read(bot)
        except DeskFailure as error:
            unclear.append(f"{bot}: {error}")
            continue
        found = loaded(read, known.controller if known is not None else "")
        seen, wrong = _connectors(found)
        files += seen
        faults += [f"{bot} {each}" for each in wrong]
        unclear += [f"{bot}: {why}" for why in found.unclear]
        if not seen and not found.unclear:
            unclear.append(f"{bot}: no controller file names a connector_name, and no script its markets")
    return _judged(faults, unclear, f"{files} loaded controllers and scripts, all {PAPER_CONNECTOR}")


def _connectors(found: LoadedControllers) -> tuple[int, list[str]]:
    """Return how many of a bot's files say where its orders go, and which of them do not say paper."""
    faults, files = [], 0
    for script in found.scripts:
        markets = named_in(script, MARKETS)
        files += bool(markets)
        faults += [f"{script.file}: markets has {market}" for market in markets if market != PAPER_CONNECTOR]
    for file in found.controllers:
        values = file.values
        if "connector_name" not in values:
            continue
        files += 1
        if values["connector_name"] != PAPER_CONNECTOR:
            faults.append(f"{file.file}: connector_name is {values['connector_name']}")
        if values.get("internal_paper_enabled", "true") != "true":
            faults.append(f"{file.file}: internal_paper_enabled is {values['internal_paper_enabled']}")
    return files, faults


async def exchanges(context: ChecklistContext) -> ItemAnswer:
    """conf_client.yml turns paper trading on for the exchange."""
    faults, read = [], 0
    configs, unclear = await _configs(context)
    for bot, config in configs:
        read += 1
        named = _section(config).get("paper_trade_exchanges")
        if not isinstance(named, list) or EXCHANGE not in named:
            faults.append(f"{bot}: paper_trade_exchanges is {named}")
    return _judged(faults, unclear, f"{EXCHANGE} in {read} conf_client.yml")


async def balances(context: ChecklistContext) -> ItemAnswer:
    """The paper balances are realistic."""
    faults, seen = [], []
    configs, unclear = await _configs(context)
    for bot, config in configs:
        balance = _section(config).get("paper_trade_account_balance")
        held = balance if isinstance(balance, Mapping) else {}
        for asset, (low, high) in REALISTIC.items():
            amount = held.get(asset)
            if not isinstance(amount, int | float) or not low <= amount <= high:
                faults.append(f"{bot}: {asset} {amount if amount is not None else 'missing'}")
        seen.append(f"{bot} " + ", ".join(f"{held.get(asset)} {asset}" for asset in REALISTIC))
    return _judged(faults, unclear, listed(seen))


def _judged(faults: list[str], unclear: list[str], fine: str) -> ItemAnswer:
    """A fault is a fault though a neighbour's file cannot be read; what cannot be read is never fine."""
    if faults:
        return failed(listed([*faults, *unclear]))
    return unknown(listed(unclear)) if unclear else passed(fine)


async def diagnostics(context: ChecklistContext) -> ItemAnswer:
    """The newest minute shows paper fills, rejects and queue delay, regime and spread; an old one shows nothing."""
    faults, seen, blind, unclear = [], [], {}, []
    oldest = context.desk.triage.snapshot_stale_seconds
    for bot in context.bots:
        try:
            figures = await context.papers.newest(bot)
        except (DeskFailure, SourceError) as error:
            unclear.append(f"{bot}: {error}")
            continue
        if figures is None:
            faults.append(f"{bot} wrote no minute yet")
        elif figures.age_seconds > oldest:
            faults.append(f"{bot}: its newest minute is {duration(figures.age_seconds)} old")
        elif missing := [column for column, value in _columns(figures).items() if value in (None, "")]:
            blind[bot] = missing
        else:
            seen.append(
                f"{bot} {figures.fills:g} fills, {figures.rejects:g} rejects, {figures.queue_delay_ms:g} ms, "
                f"{one_line(figures.regime, 40)}, spread {percent(figures.spread)}"
            )
    if faults:
        return failed(listed([*faults, *unclear, *seen]))
    if blind:
        columns = list(dict.fromkeys(column for each in blind.values() for column in each))
        unclear.insert(0, f"the writer records no {listed(columns)} for {listed(list(blind))}")
    return unknown(listed(unclear)) if unclear else passed(listed(seen))


def _columns(figures: PaperDiagnostics) -> dict[str, float | str | None]:
    return {
        "paper_fill_count": figures.fills,
        "paper_reject_count": figures.rejects,
        "paper_avg_queue_delay_ms": figures.queue_delay_ms,
        "regime": figures.regime,
        "spread_pct": figures.spread,
    }


async def _configs(context: ChecklistContext) -> tuple[list[tuple[str, Mapping[str, Json]]], list[str]]:
    """Return each bot's conf_client.yml, and why another one's cannot be read."""
    found, unclear = [], []
    for bot in context.bots:
        try:
            found.append((bot, await context.clients.read(bot)))
        except DeskFailure as error:
            unclear.append(f"{bot}: {error}")
    if not context.bots:
        raise DeskFailure("desk.yaml names no bots")
    return found, unclear


def _section(config: Mapping[str, Json]) -> Mapping[str, Json]:
    """Newer Hummingbot keeps the paper settings below ``paper_trade``, older ones at the top."""
    nested = config.get("paper_trade")
    return {**config, **nested} if isinstance(nested, Mapping) else config


CHECKLIST = Checklist(
    "paper",
    "Paper trading",
    (
        Item("connector", "controllers trade on paper", connector),
        Item("exchanges", "paper_trade_exchanges is set", exchanges),
        Item("balances", "paper balances are realistic", balances),
        Item("diagnostics", "status shows paper diagnostics", diagnostics),
    ),
)
