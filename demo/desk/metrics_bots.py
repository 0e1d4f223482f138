"""The exposition text of job ``bot-metrics``: what the exporter reads out of minute.csv and the logs."""

from collections.abc import Iterator, Mapping

from demo.desk.bot_model import API_FEE_PCT, API_FEES, Bot, Row
from demo.desk.exposition import Exposition, ScrapeFailedError
from demo.desk.sweep import Sweep
from demo.desk.world import World

STATES = ("running", "soft_pause", "hard_stop")
EXPORTER = "bot-metrics-exporter"


def bot_metrics(world: World) -> str:
    """Return the page. Raises ScrapeFailedError while the exporter does not answer."""
    container = world.engine.of_service(EXPORTER)
    if container is None or not container.running:
        raise ScrapeFailedError("connection refused")
    if container.hung:
        raise ScrapeFailedError("context deadline exceeded")
    page, now = Exposition(), world.clock.now()
    for bot in world.bots.values():
        row = bot.row if world.exporter_reads else bot.shown
        if row is not None:
            bot.shown = row
            _bot(page, bot, row, now)
    _sweep(page, world.sweep, now)
    return page.text()


def _bot(page: Exposition, bot: Bot, row: Row, now: float) -> None:
    labels = _labels(bot.name, bot.variant, bot.pair, row.regime)
    for state in STATES:
        page.gauge("hbot_bot_state", float(row.state == state), {**labels, "state": state})
    page.gauge("hbot_bot_fee_source_info", 1.0, {**labels, "source": row.fee_source})
    page.gauge("hbot_bot_risk_reasons_info", 1.0, {**labels, "reasons": "|".join(row.reasons) or "none"})
    page.gauges(_row_gauges(row), labels)
    page.gauges(_live_gauges(bot, row, now), labels)
    page.counter("hbot_bot_fills_total", bot.account.fills_total, labels)
    page.counter("hbot_bot_ws_reconnect_total", bot.ws_reconnects, labels)
    page.counter("hbot_bot_order_failure_total", bot.order_failures, labels)


def _labels(name: str, variant: str, pair: str, regime: str) -> Mapping[str, str]:
    labels = {
        "bot": name,
        "variant": variant,
        "exchange": "bitget_paper_trade",
        "pair": pair,
        "regime": regime,
    }
    return {**labels, "mode": "paper", "accounting": "spot"}


def _row_gauges(row: Row) -> Iterator[tuple[str, float]]:
    yield "hbot_bot_net_edge_pct", row.net_edge_pct
    yield "hbot_bot_soft_pause_edge", float(row.edge_blocked)
    yield "hbot_bot_spread_pct", row.spread_pct
    yield "hbot_bot_spread_floor_pct", row.spread_pct
    yield "hbot_bot_turnover_today_x", row.turnover_x
    yield "hbot_bot_orders_active", row.orders
    yield "hbot_bot_maker_fee_pct", row.fee_pct
    yield "hbot_bot_taker_fee_pct", row.fee_pct
    yield "hbot_bot_daily_pnl_quote", row.daily_pnl
    yield "hbot_bot_daily_fills_count", row.fills_today
    yield "hbot_bot_equity_quote", row.equity
    yield "hbot_bot_drawdown_pct", row.drawdown_pct
    yield "hbot_bot_daily_loss_pct", row.daily_loss_pct
    yield "hbot_bot_cancel_per_min", row.cancel_per_min
    yield "hbot_bot_base_pct", row.base_pct
    yield "hbot_bot_target_base_pct", row.target_base_pct
    yield "hbot_bot_position_drift_pct", 0.0
    yield "hbot_bot_margin_ratio", 1.0


def _live_gauges(bot: Bot, row: Row, now: float) -> Iterator[tuple[str, float]]:
    """What the exporter takes from the logs and from the age of the file."""
    yield "hbot_bot_recent_error_lines", bot.recent_errors(now)
    yield "hbot_bot_snapshot_timestamp_seconds", row.at
    yield "hbot_bot_snapshot_age_seconds", max(0.0, now - row.at)
    yield "hbot_bot_minute_last_age_seconds", max(0.0, now - row.at)
    yield "hbot_bot_order_book_stale", float(bot.book_stale)
    yield "hbot_bot_tick_duration_seconds", bot.tick_seconds
    yield "hbot_bot_kill_switch_count", bot.kill_switches


def _sweep(page: Exposition, sweep: Sweep, now: float) -> None:
    """The small bots of a parameter sweep: enough series for every rule that can hit them."""
    for number, name in enumerate(sweep.names):
        labels = _labels(name, f"p{number + 1:02d}", "BTC-USDT", "neutral_low_vol")
        state = "soft_pause" if sweep.network_down else "running"
        for each in STATES:
            page.gauge("hbot_bot_state", float(each == state), {**labels, "state": each})
        page.gauge("hbot_bot_fee_source_info", 1.0, {**labels, "source": API_FEES})
        reasons = "order_book_stale" if sweep.network_down else "none"
        page.gauge("hbot_bot_risk_reasons_info", 1.0, {**labels, "reasons": reasons})
        strength = 0.7 + (number % 7) / 10
        page.gauge("hbot_bot_net_edge_pct", -0.0004 if sweep.network_down else 0.0003, labels)
        page.gauge("hbot_bot_maker_fee_pct", API_FEE_PCT, labels)
        page.gauge("hbot_bot_taker_fee_pct", API_FEE_PCT, labels)
        page.gauge("hbot_bot_recent_error_lines", int(sweep.errors * strength), labels)
        page.gauge("hbot_bot_order_book_stale", float(sweep.network_down), labels)
        page.gauge("hbot_bot_tick_duration_seconds", 7.5 if sweep.network_down else 0.02, labels)
        page.counter("hbot_bot_ws_reconnect_total", int(sweep.reconnects * strength), labels)
        page.gauge("hbot_bot_snapshot_timestamp_seconds", now - 20, labels)
        page.gauge("hbot_bot_snapshot_age_seconds", 20.0, labels)
