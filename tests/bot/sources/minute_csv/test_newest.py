"""The newest minute of a bot, as its own file has it."""

from datetime import UTC, datetime
from pathlib import Path

from bot.sources.minute_csv.newest import NewestMinutes
from tests.fakes.clock import ManualClock
from triage.ports.minutes import NewestMinute

HEADER = (
    "ts,bot_variant,exchange,trading_pair,state,regime,mid,equity_quote,base_pct,target_base_pct,spread_pct,spread_floor_pct,"
    "net_edge_pct,skew,adverse_drift_30s,soft_pause_edge,base_balance,quote_balance,market_spread_pct,market_spread_bps,"
    "best_bid_size,best_ask_size,turnover_today_x,cancel_per_min,orders_active,fills_count_today,fees_paid_today_quote,"
    "daily_loss_pct,drawdown_pct,risk_reasons,fee_source,maker_fee_pct,taker_fee_pct"
)
ROW = (
    "2026-02-20T03:15:00+00:00,a,bitget,BTC-USDT,soft_pause,calm,67000,1000,0.46,0.5,0.001,0.001,0.0002,0,0,1,0.1,500,0.0001,1,"
    "1,1,0.4,3,4,12,0.5,0.008,0.011,edge_gate_blocked|high_vol,api,0.001,0.001"
)


async def test_the_last_whole_row_says_how_the_bot_stands(tmp_path: Path) -> None:
    """State, reasons, orders, the day's loss and the base share; a row that is still being written is none."""
    folder = tmp_path / "bot1" / "logs" / "epp_v24" / "bot1_a"
    folder.mkdir(parents=True)
    (folder / "minute.csv").write_text(f"{HEADER}\n{ROW}\n2026-02-20T03:16:00+00:00,a,bit")
    minutes = NewestMinutes(tmp_path, ManualClock(), {"bot1": "a"})
    assert await minutes.minute("bot1") == NewestMinute(
        at=datetime(2026, 2, 20, 3, 15, tzinfo=UTC),
        state="soft_pause",
        reasons=("edge_gate_blocked", "high_vol"),
        orders=4.0,
        daily_loss=0.008,
        base=0.46,
        pair="BTC-USDT",
    )
    assert await minutes.minute("bot2") is None
