"""Which columns a row has: the desk's writers changed them and did not always begin a new file.

So a row of the header's length has the header's columns; any other is known by its own length, from the
layouts the desk has had or from the header of another file in the folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Columns = tuple[str, ...]


def _columns(text: str) -> Columns:
    return tuple(text.split(","))


MINUTE_14 = _columns(
    "ts,bot_variant,exchange,trading_pair,state,mid,equity_quote,base_pct,target_base_pct,spread_pct,"
    "net_edge_pct,turnover_today_x,cancel_per_min,orders_active"
)
MINUTE_21 = _columns(
    "ts,bot_variant,exchange,trading_pair,state,regime,mid,equity_quote,base_pct,target_base_pct,spread_pct,"
    "spread_floor_pct,net_edge_pct,skew,adverse_drift_30s,soft_pause_edge,base_balance,quote_balance,"
    "turnover_today_x,cancel_per_min,orders_active"
)
_FEE = _columns("fee_source,maker_fee_pct,taker_fee_pct")
MINUTE_24 = MINUTE_21 + _FEE
MINUTE_33 = (
    MINUTE_21[:18]
    + _columns("market_spread_pct,market_spread_bps,best_bid_size,best_ask_size")
    + MINUTE_21[18:]
    + _columns("fills_count_today,fees_paid_today_quote,daily_loss_pct,drawdown_pct,risk_reasons")
    + _FEE
)
MINUTE = {len(columns): columns for columns in (MINUTE_14, MINUTE_21, MINUTE_24, MINUTE_33)}
MINUTE_ALWAYS = MINUTE_14[:5]
"""What every layout begins with: enough to know the state of a minute, whatever else the row holds."""

_FILL_17 = _columns(
    "ts,bot_variant,exchange,trading_pair,side,price,amount_base,notional_quote,fee_quote,order_id,state,"
    "mid_ref,expected_spread_pct,adverse_drift_30s,fee_source,is_maker,realized_pnl_quote"
)
FILLS = {length: _FILL_17[:length] for length in range(11, 18)}
FILLS_ALWAYS = _FILL_17[:11]

DAILY_ALWAYS = _columns(
    "ts,bot_variant,exchange,trading_pair,state,equity_open_quote,equity_now_quote,pnl_quote,pnl_pct,"
    "turnover_x,fills_count,ops_events"
)
DAILY = {len(DAILY_ALWAYS): DAILY_ALWAYS}


class Layouts:
    """The layouts of one kind of file: the known ones, and those that are read from headers as files are opened.

    ``always`` is the beginning that all of them share; a row of unknown length is read that far and no further.
    """

    __slots__ = ("_always", "_known", "_learned")

    def __init__(self, known: Mapping[int, Columns], always: Columns) -> None:
        self._known = known
        self._always = always
        self._learned: dict[int, Columns] = {}

    def learn(self, header: Columns) -> None:
        """Remember a header for rows of its length in other files."""
        self._learned[len(header)] = header

    def of(self, header: Columns, length: int) -> Columns | None:
        """Return the columns of a row of ``length`` fields below ``header``; None where it is too short for any.

        The returned columns may be fewer than the fields: the rest is of unknown meaning.
        """
        if length == len(header):
            return header
        known = self._known.get(length) or self._learned.get(length)
        if known is None and length > len(self._always):
            return self._always
        return known
