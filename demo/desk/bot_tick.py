"""One step of a bot: quote, cancel, fill, fail, and let the guards decide."""

import math
from typing import TYPE_CHECKING

from demo.desk import bot_errors, connector
from demo.desk.bot_model import Bot, Fill, Process
from demo.desk.guards import GuardInputs, decide

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

DAY = 86_400
EDGE_MEAN, EDGE_NOISE = 0.0013, 0.00021
EDGE_BLOCKS_BELOW, EDGE_OPENS_ABOVE = 0.00015, 0.0003
MONITOR_PHASE = 660.0  # a monitoring bot's edge gate opens and closes every 11 minutes
FILLS_PER_SECOND = 1 / 240
NOTIONAL = 60.0
CAPTURE = 0.0012  # what a maker fill earns before fees, as a share of the price
MAKER_SHARE = 0.85
ORDERS = 4
CANCELS_ALLOWED = 120.0
BUS_PAUSE = 90.0
LEAK_PER_SECOND = 8_000_000.0
REVIEW_SECONDS = 1_800.0
RISK_LATCHES = (
    "drawdown_hard_limit",
    "daily_loss_hard_limit",
    "daily_turnover_hard_limit",
    "external_kill_switch",
)


def step(world: "WorldState", bot: Bot, seconds: float) -> None:
    """Let ``seconds`` pass for a bot whose process works."""
    now, process = world.clock.now(), bot.process
    bot.account.roll(int(now // DAY), bot.market.mid)
    if process is None or now < process.ready_at or process.stopped:
        return
    _edge(bot, now, seconds)
    broken = bool(process.unknown_settings)
    _cancels(world, bot, process, seconds)
    bot_errors.step(world, bot, seconds)
    bot.account.peak = max(bot.account.peak, bot.equity)
    _judge(world, bot, process, broken=broken)
    if bot.state == "running":
        _fills(world, bot, process, seconds)
    if process.leaks:
        process.leaked += LEAK_PER_SECOND * seconds


def _edge(bot: Bot, now: float, seconds: float) -> None:
    minutes = seconds / 60
    pull = min(0.5 * minutes, 1)
    noise = 0.0 if bot.calm else bot.dice.gauss(0, EDGE_NOISE) * math.sqrt(pull)
    bot.gross_edge += (EDGE_MEAN - bot.gross_edge) * pull + noise
    if not bot.trades:
        bot.edge_blocked = int(now // MONITOR_PHASE) % 2 == 1
    elif bot.net_edge < EDGE_BLOCKS_BELOW:
        bot.edge_blocked = True
    elif bot.net_edge > EDGE_OPENS_ABOVE:
        bot.edge_blocked = False


def _cancels(world: "WorldState", bot: Bot, process: Process, seconds: float) -> None:
    """Requote: each order is cancelled and placed anew every ``order_refresh_time`` seconds."""
    if not bot.orders:
        bot.cancel_per_min = 0.0
        return
    refresh = max(process.number("order_refresh_time", 30.0), 0.5)
    bot.cancel_per_min = max(0.0, bot.orders * 60 / refresh * bot.dice.uniform(0.8, 1.2))
    asked = max(1, round(bot.cancel_per_min * seconds / 60)) if any(bot.resting.values()) else 0
    share = max(process.image.cancel_reject_share, 0.9 if bot.cancel_per_min > CANCELS_ALLOWED else 0.0)
    for _ in range(min(asked, ORDERS)):
        reply = world.exchange.asked(bot.name, "cancel", world.clock.now(), bot.dice)
        if reply is not None:
            process.cancel_fail_streak += connector.cancel_refused(world, bot, reply)
        elif share and bot.dice.random() < share:
            process.cancel_fail_streak += 1
            bot_errors.cancel_refused(world, bot, too_many=bot.cancel_per_min > CANCELS_ALLOWED)
        elif process.cancel_fail_streak:
            process.cancel_fail_streak -= 1


def _judge(world: "WorldState", bot: Bot, process: Process, *, broken: bool) -> None:
    now, account, equity = world.clock.now(), bot.account, bot.equity
    wanted, reasons = decide(
        GuardInputs(
            base_pct=bot.base_pct,
            daily_loss_pct=max(0.0, 1 - equity / account.day_open),
            drawdown_pct=0.0 if _reviewed(account.latched) else max(0.0, 1 - equity / account.peak),
            turnover_x=account.traded_today / equity,
            edge_blocked=bot.edge_blocked,
            high_vol=bot.market.regime == "high_vol_shock",
            bus_outage=_bus_outage(world, process, now),
            paused_by_intent=process.paused_by_intent,
            killed=process.killed,
            cancel_fail_streak=process.cancel_fail_streak,
            operational_cycles=process.operational_cycles,
            controller_broken=broken,
            book_stale=bot.book_stale,
            fee_resolved=process.fee_source.startswith(("api:", "connector:", "project:")),
            connector_ready=process.connector.ready,
            held_by=bot.held_by,
        ),
        process.limits,
    )
    for reason in reasons:
        if reason in RISK_LATCHES:
            account.latched.setdefault(reason, now)
    if account.latched:
        wanted, reasons = "hard_stop", tuple(dict.fromkeys((*account.latched, *reasons)))
    if wanted == "soft_pause" and bot.state == "running" and broken:
        process.operational_cycles += 1
    if wanted != bot.state:
        world.state_changed(bot, wanted, reasons)
    bot.reasons = reasons
    bot.orders = ORDERS if bot.trades and wanted == "running" else 0


def _reviewed(latched: dict[str, float]) -> bool:
    """Once a hard stop is latched the measure that caused it need not trip again."""
    return "drawdown_hard_limit" in latched


def _bus_outage(world: "WorldState", process: Process, now: float) -> bool:
    """A bot pauses while its bus comes and goes; with no bus deployed its own guards are enough."""
    wants = process.environment.get("EXT_SIGNAL_RISK_ENABLED") == "true"
    pauses = process.environment.get("BUS_SOFT_PAUSE_ON_OUTAGE", "true") == "true"
    return wants and pauses and now - world.redis.churned_at < BUS_PAUSE


def _fills(world: "WorldState", bot: Bot, process: Process, seconds: float) -> None:
    side_rests = bot.resting["BUY"], bot.resting["SELL"]
    if not bot.trades or not any(side_rests) or bot.dice.random() > 1 - math.exp(-FILLS_PER_SECOND * seconds):
        return
    now, mid, account = world.clock.now(), bot.market.mid, bot.account
    buys = bot.dice.random() < 0.5 + 2 * (process.target_base_pct - bot.base_pct)
    buys = buys if all(side_rests) else side_rests[0]
    notional = NOTIONAL * bot.dice.uniform(0.7, 1.3)
    is_maker = bot.dice.random() < MAKER_SHARE
    edge = CAPTURE if is_maker else -CAPTURE / 4
    price = mid * (1 - edge if buys else 1 + edge)
    amount, fee = notional / price, notional * process.fee_pct
    account.base += amount if buys else -amount
    account.quote -= (notional if buys else -notional) + fee
    account.traded_today += notional
    account.fees_today += fee
    account.fills_today += 1
    account.fills_total += 1
    process.paper_fills += 1
    if bot.dice.random() < 0.004:  # noqa: PLR2004 - a reject now and then
        process.paper_rejects += 1
    side = "buy" if buys else "sell"
    order = f"paper-{side[0].upper()}-{bot.dice.getrandbits(48):012x}"
    world.filled(
        bot,
        Fill(
            at=now,
            side=side,
            price=price,
            amount=amount,
            fee=fee,
            order_id=order,
            state=bot.state,
            mid=mid,
            is_maker=is_maker,
        ),
    )


def resume(world: "WorldState", bot: Bot, process: Process) -> str | None:
    """Take a pause or a stop back. Returns why not, when the bot's own guards refuse."""
    now = world.clock.now()
    for reason, since in bot.account.latched.items():
        if reason != "external_kill_switch" and now - since < REVIEW_SECONDS:
            return reason
    if process.unknown_settings:
        return "connector_not_ready"
    bot.account.latched.clear()
    bot.account.peak = bot.equity
    if 1 - bot.equity / bot.account.day_open >= process.limits.max_daily_loss_pct:
        bot.account.day_open = bot.equity
    process.paused_by_intent = process.killed = False
    process.cancel_fail_streak = 0
    return None
