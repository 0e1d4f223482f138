"""The newest minute of a bot, as its own file has it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.sources.minute_csv.newest import NewestMinutes
from tests.bot.sources.minute_csv.files import folder_of
from tests.fakes.clock import ManualClock
from triage.errors import SourceBadAnswer
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
NOW = datetime(2026, 2, 20, 3, 16, tzinfo=UTC)


async def test_the_last_whole_row_says_how_the_bot_stands(tmp_path: Path) -> None:
    """State, reasons, orders, the day's loss and the base share; a row that is still being written is none."""
    folder = tmp_path / "bot1" / "logs" / "epp_v24" / "bot1_a"
    folder.mkdir(parents=True)
    (folder / "minute.csv").write_text(f"{HEADER}\n{ROW}\n2026-02-20T03:16:00+00:00,a,bit")
    minutes = NewestMinutes(tmp_path, ManualClock(NOW), {"bot1": "a"})
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


def _at(stamp: str, state: str = "soft_pause") -> str:
    return ROW.replace("2026-02-20T03:15:00+00:00", stamp).replace("soft_pause", state)


async def _read(tmp_path: Path, *rows: str, **files: str) -> tuple[datetime, str] | None:
    """Return time and state of the newest of these rows, and of further files by the beginning of their name."""
    folder = folder_of(tmp_path)
    (folder / "minute.csv").write_text("".join(f"{line}\n" for line in (HEADER, *rows)))
    for name, row in files.items():
        (folder / f"minute.legacy_{name}Z.csv").write_text(f"{HEADER}\n{row}\n")
    minute = await NewestMinutes(tmp_path, ManualClock(NOW), {"bot1": "a"}).minute("bot1")
    return None if minute is None else (minute.at, minute.state)


@pytest.mark.parametrize(
    "stamp", ["2099-01-01T00:00:00+00:00", "9999-12-31T23:59:59-05:00", "2026-02-20T03:22:00+00:00"]
)
async def test_a_row_of_the_future_is_not_the_newest_minute(tmp_path: Path, stamp: str) -> None:
    """Otherwise a bot that stopped long ago would run until then; alone it is no answer, and said to be none."""
    before = (datetime(2026, 2, 20, 3, 15, tzinfo=UTC), "soft_pause")
    assert await _read(tmp_path, ROW, _at(stamp, "running")) == before
    with pytest.raises(SourceBadAnswer, match="stamped later than now"):
        await _read(tmp_path, _at(stamp, "running"))


async def test_a_clock_that_is_a_little_ahead_is_no_future(tmp_path: Path) -> None:
    """The bot's container may have it."""
    assert await _read(tmp_path, _at("2026-02-20T03:17:00+00:00")) == (NOW.replace(minute=17), "soft_pause")


async def test_rows_that_cannot_be_read_are_not_called_unwritten(tmp_path: Path) -> None:
    """A file of which nothing is understood is no bot that wrote nothing."""
    with pytest.raises(SourceBadAnswer, match=r"none of the last rows of minute\.csv can be read"):
        await _read(tmp_path, _at("minute 12"), "junk")


async def test_a_file_whose_end_has_no_line_is_not_called_unwritten(tmp_path: Path) -> None:
    """As where a machine lost its power: rows may be before it, and nobody knows which was the last."""
    assert await _read(tmp_path, ROW) is not None
    os.truncate(folder_of(tmp_path) / "minute.csv", 10**9)
    minutes = NewestMinutes(tmp_path, ManualClock(NOW), {"bot1": "a"})
    with pytest.raises(SourceBadAnswer, match=r"minute\.csv ends without a line"):
        await minutes.minute("bot1")


async def test_an_odd_line_costs_only_itself(tmp_path: Path) -> None:
    """A carriage return in a field stops no reading."""
    rows = (ROW, _at("junk"), _at("0001-01-01T00:00:00+05:00").replace("calm", 'ca\rlm,"x'), "")
    assert await _read(tmp_path, *rows[:2]) == (NOW.replace(minute=15), "soft_pause")
    odd = _at("2026-02-20T03:16:00+00:00").replace("calm", "ca\rlm").replace("bitget", '"bitget"')
    assert await _read(tmp_path, *rows, odd) == (NOW, "soft_pause")


async def test_just_after_a_rotation_the_newest_minute_is_in_the_file_before(tmp_path: Path) -> None:
    """The current file has no row yet."""
    old, older = _at("2026-02-20T03:14:00+00:00", "running"), _at("2026-02-19T03:14:00+00:00", "hard_stop")
    found = await _read(tmp_path, **{"20260220T031430": old, "20260219T031430": older})
    assert found == (NOW.replace(minute=14), "running")
    assert await _read(tmp_path / "other") is None
