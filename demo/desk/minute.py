"""The row a bot writes each minute, from what it knows."""

from demo.desk.artifacts import SPREAD_PCT
from demo.desk.bot_model import API_FEES, Bot, Row


def row_of(bot: Bot, now: float) -> Row:
    """Return the bot's minute."""
    account, process, equity = bot.account, bot.process, bot.equity
    loss = max(0.0, 1 - equity / account.day_open)
    drawdown = max(0.0, 1 - equity / account.peak)
    return Row(
        at=now,
        state=bot.state,
        reasons=bot.reasons,
        regime=bot.market.regime,
        mid=bot.market.mid,
        equity=equity,
        base_pct=bot.base_pct,
        target_base_pct=process.target_base_pct if process else 0.5,
        spread_pct=SPREAD_PCT,
        net_edge_pct=bot.net_edge,
        skew=(0.5 - bot.base_pct) * 0.01,
        adverse_drift=abs(bot.market.mid / bot.market.slow - 1) / 10,
        edge_blocked=bot.edge_blocked,
        base=account.base,
        quote=account.quote,
        turnover_x=account.traded_today / equity,
        cancel_per_min=bot.cancel_per_min,
        orders=bot.orders // 2 * sum(bot.resting.values()),
        fills_today=account.fills_today,
        fees_today=account.fees_today,
        daily_pnl=equity - account.day_open,
        daily_loss_pct=loss,
        drawdown_pct=drawdown,
        fee_source=process.fee_source if process else API_FEES,
        fee_pct=bot.fee_pct,
        paper_fills=process.paper_fills if process else 0,
        paper_rejects=process.paper_rejects if process else 0,
        queue_delay_ms=120 + 40 * bot.dice.random(),
    )
