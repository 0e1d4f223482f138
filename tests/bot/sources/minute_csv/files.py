"""CSV files as the desk's writers make them, and as they should not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MIDNIGHT = datetime(2026, 2, 21, tzinfo=UTC)
START = MIDNIGHT - timedelta(hours=1)
"""The windows of these tests: the hour before midnight."""

H14 = (
    "ts,bot_variant,exchange,trading_pair,state,mid,equity_quote,base_pct,target_base_pct,spread_pct,net_edge_pct,"
    "turnover_today_x,cancel_per_min,orders_active"
)
H33 = (
    "ts,bot_variant,exchange,trading_pair,state,regime,mid,equity_quote,base_pct,target_base_pct,spread_pct,"
    "spread_floor_pct,net_edge_pct,skew,adverse_drift_30s,soft_pause_edge,base_balance,quote_balance,"
    "market_spread_pct,market_spread_bps,best_bid_size,best_ask_size,turnover_today_x,cancel_per_min,orders_active,"
    "fills_count_today,fees_paid_today_quote,daily_loss_pct,drawdown_pct,risk_reasons,fee_source,maker_fee_pct,"
    "taker_fee_pct"
)
H36 = f"{H33},paper_fill_count,paper_reject_count,paper_avg_queue_delay_ms"
H21 = H33.split(",market_spread_pct", maxsplit=1)[0] + ",turnover_today_x,cancel_per_min,orders_active"
H24 = f"{H21},fee_source,maker_fee_pct,taker_fee_pct"
HEADERS = {14: H14, 21: H21, 24: H24, 33: H33, 36: H36}
FILLS = "ts,bot_variant,exchange,trading_pair,side,price,amount_base,notional_quote,fee_quote,order_id,state"


def row(at: datetime, columns: int = 33, **values: object) -> str:
    """Return a line (no newline) of the layout with so many columns; what is not given is 0."""
    names = HEADERS[columns].split(",")
    known = {
        "ts": at.isoformat(),
        "bot_variant": "a",
        "exchange": "bitget",
        "trading_pair": "BTC-USDT",
        "state": "running",
        "base_pct": "0.5",
        "target_base_pct": "0.50",
        "equity_quote": "1000.0000000000",
        "fee_source": "api:bitget:user_fee_query",
        "risk_reasons": "",
    }
    known |= {name: str(value) for name, value in values.items()}
    return ",".join(known.get(name, "0E-10") for name in names)


def minute_at(minute: int) -> datetime:
    """Return a time within a minute of the window."""
    return START + timedelta(minutes=minute, seconds=0.7)


def rows(minutes: Iterable[int], columns: int = 33, **values: object) -> list[str]:
    """Return a line for each minute of the window."""
    return [row(minute_at(minute), columns, **values) for minute in minutes]


def folder_of(data: Path, bot: str = "bot1", variant: str = "a") -> Path:
    """Return a variant's folder, made."""
    folder = data / bot / "logs" / "epp_v24" / f"{bot}_{variant}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(path: Path, header: str, lines: Iterable[str], *, end: str = "\n") -> Path:
    """Write a file of a header and lines; ``end`` is what stands behind the last line."""
    path.write_text("\n".join([header, *lines]) + end)
    return path
