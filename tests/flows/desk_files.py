"""The desk's own files as an operator has them: env, client and controller YAML, minute and fill rows."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

COLUMNS = (
    "ts,bot_variant,exchange,trading_pair,state,regime,mid,equity_quote,base_pct,target_base_pct,spread_pct,"
    "spread_floor_pct,net_edge_pct,skew,adverse_drift_30s,soft_pause_edge,base_balance,quote_balance,"
    "market_spread_pct,market_spread_bps,best_bid_size,best_ask_size,turnover_today_x,cancel_per_min,"
    "orders_active,fills_count_today,fees_paid_today_quote,daily_loss_pct,drawdown_pct,risk_reasons,fee_source,"
    "maker_fee_pct,taker_fee_pct,paper_fill_count,paper_reject_count,paper_avg_queue_delay_ms"
)
FILL_COLUMNS = (
    "ts,bot_variant,exchange,trading_pair,side,price,amount_base,notional_quote,fee_quote,order_id,state,"
    "mid_ref,expected_spread_pct,adverse_drift_30s,fee_source,is_maker,realized_pnl_quote"
)
CLIENT = """\
# kept by the operators
paper_trade:
  paper_trade_exchanges:
    - bitget
  paper_trade_account_balance:
    BTC: 1.0
    USDT: 10000.0
"""
CONTROLLER = """\
connector_name: bitget_paper_trade
internal_paper_enabled: true
"""
FEES = "api:bitget:user_fee_query"


def minute_row(at: datetime, **changes: object) -> str:
    """Return a healthy minute's row, with some columns changed."""
    minute = at.hour * 60 + at.minute
    values: dict[str, object] = dict.fromkeys(COLUMNS.split(","), "0.004")
    values |= {
        "ts": at.isoformat(),
        "bot_variant": "a",
        "exchange": "bitget_paper_trade",
        "trading_pair": "BTC-USDT",
        "state": "running",
        "regime": "neutral_low_vol",
        "spread_pct": "0.0012",
        "equity_quote": f"{10_000 + 40 * math.sin(minute / 230) + minute / 60:.4f}",
        "base_pct": f"{0.5 + 0.03 * math.sin(minute / 90):.6f}",
        "target_base_pct": "0.5",
        "net_edge_pct": f"{0.0002 + 0.0004 * math.sin(minute / 41):.8f}",
        "turnover_today_x": f"{minute / 900:.6f}" if minute else "0E-10",
        "cancel_per_min": str(minute % 30),
        "daily_loss_pct": f"{0.004 * abs(math.sin(minute / 300)):.6f}",
        "drawdown_pct": f"{0.008 * abs(math.sin(minute / 400)):.6f}",
        "risk_reasons": "",
        "fee_source": FEES,
        "paper_fill_count": str(minute // 20),
        "paper_reject_count": "0",
        "paper_avg_queue_delay_ms": "120",
    }
    values |= changes
    return ",".join(str(values[name]) for name in COLUMNS.split(","))


def write_minutes(
    data: Path,
    bot: str,
    start: datetime,
    end: datetime,
    *,
    variant: str = "a",
    every: Mapping[str, Any] | None = None,
) -> None:
    """Write a bot's minutes from ``start`` to ``end`` (excluded), and a fill every 20 minutes."""
    folder = data / bot / "logs" / "epp_v24" / f"{bot}_{variant}"
    folder.mkdir(parents=True, exist_ok=True)
    minutes = int((end - start).total_seconds() // 60)
    times = [start + timedelta(minutes=number) for number in range(minutes)]
    rows = [minute_row(at, bot_variant=variant, **(every or {})) for at in times]
    (folder / "minute.csv").write_text("\n".join([COLUMNS, *rows]) + "\n")
    (folder / "fills.csv").write_text("\n".join([FILL_COLUMNS, *map(_fill, times[::20])]) + "\n")


def _fill(at: datetime) -> str:
    side = "buy" if at.minute < 30 else "sell"
    gain = "0.08" if at.minute % 40 else "-0.02"
    return (
        f"{(at + timedelta(seconds=7)).isoformat()},a,bitget_paper_trade,BTC-USDT,{side},67000,0.0012,80.4,0.08,"
        f"paper-{at:%d%H%M},running,67000,0.004,0.0001,{FEES},True,{gain}"
    )


def write_desk(root: Path, bots: Sequence[str]) -> dict[str, str]:
    """Write env, compose and configuration below a folder. Returns ``paths`` for desk.yaml."""
    for folder in ("compose", "env", "backups"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "env" / ".env.template").write_text("HUMMINGBOT_IMAGE=\nREDIS_HOST=redis\n")
    (root / "env" / ".env").write_text(
        "HUMMINGBOT_IMAGE=hummingbot/hummingbot:version-2.12.0\nREDIS_HOST=redis\n"
    )
    for bot in bots:
        conf = root / "data" / bot / "conf"
        (conf / "controllers").mkdir(parents=True, exist_ok=True)
        (conf / "conf_client.yml").write_text(CLIENT)
        (conf / "controllers" / "epp_v2_4.yml").write_text(CONTROLLER)
    return {
        "compose": str(root / "compose"),
        "env": str(root / "env" / ".env"),
        "data": str(root / "data"),
        "backups": str(root / "backups"),
    }
