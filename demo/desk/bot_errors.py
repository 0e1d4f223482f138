"""What goes wrong in a bot and how its log tells of it: everyday noise, refused orders, failing code."""

from typing import TYPE_CHECKING

from demo.desk.bot_model import Bot

if TYPE_CHECKING:
    from demo.desk.world import World

CONNECTOR = "hummingbot.connector.exchange.bitget.bitget_exchange"
BOOK = "hummingbot.core.data_type.order_book_tracker"
CONTROLLER = "hummingbot.strategy_v2.controllers.epp_v2_4"
EVENTS_LOGGER = "hummingbot.core.event.event_reporter"
NOISE_PER_SECOND = 1 / 1_500
WARNING_PER_SECOND = 1 / 700
TICK_FAILS_EVERY = 12.0
REFUSALS_EVERY = 3.0
SLOW_TICK, TICK = 7.5, 0.021


def step(world: "World", bot: Bot, seconds: float) -> None:
    """Let ``seconds`` pass: log what fails in them."""
    _everyday(world, bot, seconds)
    process = bot.process
    if process is None:
        return
    if process.unknown_settings:
        for _ in range(_times(bot, seconds, TICK_FAILS_EVERY)):
            _tick_failed(world, bot, process.unknown_settings[0])
    _requests(world, bot, seconds)
    if world.host.full and bot.dice.random() < seconds / 10:
        path = world.layout.artifacts(bot.name, bot.variant) / "minute.csv"
        world.log(bot, "ERROR", CONTROLLER, f"cannot write {path.name}: [Errno 28] No space left on device")


def _times(bot: Bot, seconds: float, every: float) -> int:
    """Return how often something happens that happens every so many seconds."""
    whole, rest = divmod(seconds / every, 1)
    return int(whole) + (bot.dice.random() < rest)


def _everyday(world: "World", bot: Bot, seconds: float) -> None:
    if bot.dice.random() < NOISE_PER_SECOND * seconds:
        world.log(
            bot,
            "ERROR",
            BOOK,
            f"Order book stream disconnected: code 1006 after {bot.dice.randint(900, 9000)} s",
        )
        bot.ws_reconnects += 1
    if bot.dice.random() < WARNING_PER_SECOND * seconds:
        world.log(
            bot,
            "WARNING",
            CONNECTOR,
            f"Rate limit approached on /api/v2/spot/trade/place-order: {bot.dice.randint(80, 95)} %; "
            "no ERROR yet, slowing down",
        )


def _requests(world: "World", bot: Bot, seconds: float) -> None:
    """Ask the exchange for what the bot needs: books always, orders while it quotes."""
    now = world.clock.now()
    networked = now >= world.exchange.network_down_until
    bot.book_stale = not networked
    bot.tick_seconds = bot.dice.uniform(0.9, 1.1) * (TICK if networked else SLOW_TICK)
    if not networked:
        for _ in range(_times(bot, seconds, REFUSALS_EVERY * 2)):
            _network_failed(world, bot)
    if bot.orders and not world.exchange.asked(bot.name, now):
        for _ in range(_times(bot, seconds, REFUSALS_EVERY)):
            _order_refused(world, bot)


def _network_failed(world: "World", bot: Bot) -> None:
    bot.ws_reconnects += 1
    host = bot.dice.choice(("api.bitget.com", "ws.bitget.com"))
    message = f"Cannot connect to host {host}:443 ssl:default [Temporary failure in name resolution]"
    world.log(bot, "ERROR", BOOK, message)


def _order_refused(world: "World", bot: Bot) -> None:
    bot.order_failures += 1
    side, order = bot.dice.choice(("BUY", "SELL")), f"{bot.dice.getrandbits(40):010x}"
    price = bot.market.mid * bot.dice.uniform(0.998, 1.002)
    kind = bot.dice.randrange(3)
    if kind == 0:
        message = f"Error submitting {side} LIMIT order {order} to Bitget for 0.0012 {bot.pair} {price:.2f}."
        text = "OSError: Error executing request POST /api/v2/spot/trade/place-order. HTTP status is 429. "
        trace = _trace(
            "bitget_exchange.py",
            612,
            "_place_order",
            text + 'Error: {"code":"30007","msg":"too many requests"}',
        )
        world.log(bot, "ERROR", CONNECTOR, message, trace)
    elif kind == 1:
        world.log(
            bot, "ERROR", CONNECTOR, f"Order {order} rejected by the exchange: code 30007, request over limit"
        )
    else:
        world.log(bot, "ERROR", EVENTS_LOGGER, f"MarketOrderFailureEvent for {order} at {price:.2f}")


def cancel_refused(world: "World", bot: Bot, *, too_many: bool) -> None:
    """Log one refused cancel: for asking too often, or for what a release does to the request."""
    bot.order_failures += 1
    order = f"{bot.dice.getrandbits(40):010x}"
    if too_many:
        reason = "HTTP status is 429, code 30007, cancel requests over limit"
    else:
        reason = "HTTP status is 400, code 40808, parameter verification exception clientOid"
    trace = _trace("bitget_exchange.py", 655, "_place_cancel", f"OSError: {reason}")
    world.log(bot, "ERROR", CONNECTOR, f"Failed to cancel order {order}: {reason}", trace)


def _tick_failed(world: "World", bot: Bot, setting: str) -> None:
    text = f"TypeError: EppV24Controller.__init__() got an unexpected keyword argument '{setting}'"
    trace = _trace("controllers/market_making/epp_v2_4.py", 11, "__init__", text)
    world.log(bot, "ERROR", CONTROLLER, f"Unexpected error in control loop: {text}", trace)


def _trace(file: str, number: int, function: str, last: str) -> tuple[str, ...]:
    return (
        "Traceback (most recent call last):",
        f'  File "/home/hummingbot/{file}", line {number}, in {function}',
        "    return await self._run(request)",
        last,
    )
