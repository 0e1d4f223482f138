"""The CSV files of a bot, growing as the desk's writers let them grow: minute, fills and daily."""

from datetime import UTC, datetime
from pathlib import Path

from demo.desk.bot_model import Bot, Fill, Row

EXCHANGE = "bitget_paper_trade"
MINUTE_33 = (
    "ts,bot_variant,exchange,trading_pair,state,regime,mid,equity_quote,base_pct,target_base_pct,spread_pct,"
    "spread_floor_pct,net_edge_pct,skew,adverse_drift_30s,soft_pause_edge,base_balance,quote_balance,"
    "market_spread_pct,market_spread_bps,best_bid_size,best_ask_size,turnover_today_x,cancel_per_min,"
    "orders_active,fills_count_today,fees_paid_today_quote,daily_loss_pct,drawdown_pct,risk_reasons,"
    "fee_source,maker_fee_pct,taker_fee_pct"
)
MINUTE_LATER = f"{MINUTE_33},paper_fill_count,paper_reject_count,paper_avg_queue_delay_ms"
FILLS = (
    "ts,bot_variant,exchange,trading_pair,side,price,amount_base,notional_quote,fee_quote,order_id,state,"
    "mid_ref,expected_spread_pct,adverse_drift_30s,fee_source,is_maker,realized_pnl_quote"
)
DAILY = (
    "ts,bot_variant,exchange,trading_pair,state,equity_open_quote,equity_now_quote,pnl_quote,pnl_pct,"
    "turnover_x,fills_count,ops_events"
)
SPREAD_PCT = 0.00425
LATER_LAYOUT = frozenset({"bot1", "bot3"})
"""Bots whose writer knows the paper engine's columns; bot2's is an older one."""


def iso(at: float) -> str:
    """Return ``2026-02-20T16:33:00.312501+00:00``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def number(value: float) -> str:
    """Return a decimal the way the writers do; a zero comes in scientific notation."""
    return "0E-10" if value == 0 else f"{value:.10f}"


def minute_line(bot: Bot, row: Row, *, later: bool) -> str:
    """Return a minute.csv row in the 33 columns, or in the later layout."""
    maker = number(row.fee_pct)
    cells = [
        *(iso(row.at), bot.variant, EXCHANGE, bot.pair, row.state, row.regime, number(row.mid)),
        *(number(row.equity), number(row.base_pct), f"{row.target_base_pct:.2f}", number(row.spread_pct)),
        *(number(SPREAD_PCT), number(row.net_edge_pct), number(row.skew), number(row.adverse_drift)),
        *(str(row.edge_blocked), number(row.base), number(row.quote), "0.0000015668", "0.0156676490"),
        *("0.429791", "0.124699", "0E+10" if row.turnover_x == 0 else number(row.turnover_x)),
        *(f"{row.cancel_per_min:.0f}", str(row.orders), str(row.fills_today), number(row.fees_today)),
        *(number(row.daily_loss_pct), number(row.drawdown_pct), "|".join(row.reasons)),
        *(row.fee_source, maker, maker),
    ]
    if later:
        cells += [str(row.paper_fills), str(row.paper_rejects), f"{row.queue_delay_ms:.1f}"]
    return ",".join(cells)


def fill_line(bot: Bot, fill: Fill, fee_source: str) -> str:
    """Return a fills.csv row."""
    sign = 1 if fill.side == "buy" else -1
    gained = (fill.mid - fill.price) * fill.amount * sign
    return ",".join(
        (
            *(
                iso(fill.at),
                bot.variant,
                EXCHANGE,
                bot.pair,
                fill.side,
                number(fill.price),
                number(fill.amount),
            ),
            *(
                number(fill.price * fill.amount),
                number(fill.fee),
                fill.order_id,
                fill.state,
                number(fill.mid),
            ),
            *(number(SPREAD_PCT), "0E-10", fee_source, str(fill.is_maker), number(gained - fill.fee)),
        )
    )


def daily_line(bot: Bot, row: Row, opened: float, events: str) -> str:
    """Return a daily.csv row for the day that ends with ``row``; ``opened`` is its first equity."""
    gained = row.equity - opened
    return ",".join(
        (
            *(iso(row.at), bot.variant, EXCHANGE, bot.pair, row.state, number(opened), number(row.equity)),
            *(number(gained), number(gained / opened), number(row.turnover_x), str(row.fills_today), events),
        )
    )


class Artifacts:
    """Appends rows to a bot's files; the header is written with the first row of a file."""

    def __init__(self) -> None:
        self._pending: dict[tuple[Path, str], list[str]] = {}

    def add(self, path: Path, header: str, row: str) -> None:
        """Take a row; it is written at the next ``flush``."""
        self._pending.setdefault((path, header), []).append(row)

    def flush(self) -> None:
        """Write what was added."""
        pending, self._pending = self._pending, {}
        for (path, header), rows in pending.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = rows if path.exists() else [header, *rows]
            with path.open("a") as file:
                file.write("\n".join(lines) + "\n")


def rotate(folder: Path, at: float) -> None:
    """Set minute.csv aside as the writers do when their columns change."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    current = folder / "minute.csv"
    if current.exists():
        current.rename(folder / f"minute.legacy_{stamp}.csv")
