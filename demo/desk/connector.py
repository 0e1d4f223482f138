"""A bot's connector to the exchange: what it asks, how often, and what its log says of requests that fail.

Levels, loggers and wrappers are Hummingbot's: a failed poll is a NETWORK record with the traceback and a WARNING that
names no cause; a refused order is such a pair too, and then an ERROR of the executor that placed it.
"""

from demo.desk.bot_model import Bot, Process
from demo.desk.connection import Connector
from demo.desk.replies import SOCKETS, Endpoint, NoAnswer, Refusal, Reply, host_of
from demo.desk.world_state import WorldState

BITGET = "hummingbot.connector.exchange.bitget.bitget_exchange.BitgetExchange"
BOOKS = "hummingbot.connector.exchange.bitget.bitget_api_order_book_data_source.BitgetAPIOrderBookDataSource"
STREAM = (
    "hummingbot.connector.exchange.bitget.bitget_api_user_stream_data_source.BitgetAPIUserStreamDataSource"
)
TIME = "hummingbot.connector.time_synchronizer"
TRACKER = "hummingbot.connector.client_order_tracker"
EXECUTOR = "hummingbot.strategy_v2.executors.order_executor.order_executor"
STRATEGY = "hummingbot.strategy.strategy_v2_base"

EVERY: dict[Endpoint, float] = {"account": 30.0, "orders": 60.0, "rules": 1_800.0, "time": 15.0}
SOON = 10.0  # a poll that failed is tried again after so many seconds
SOCKET_LOOK, SOCKET_RETRY = 20.0, 8.0
STALE_AFTER = 30.0
NOT_FOUND_CODES = frozenset({"43001", "40768", "43025"})
RETRIES = 10
SLOW_TICK, TICK = 7.5, 0.021


def step(world: WorldState, bot: Bot, process: Process, seconds: float) -> None:
    """Let ``seconds`` pass: poll, listen, place orders, and see what that makes of the bot."""
    now, connector = world.clock.now(), process.connector
    for socket in SOCKETS:
        if now >= connector.due.get(socket, 0.0):
            _listen(world, bot, connector, socket)
    for endpoint, every in EVERY.items():
        if now >= connector.due.get(endpoint, 0.0) and (endpoint != "orders" or bot.orders):
            failed = _poll(world, bot, connector, endpoint)
            connector.due[endpoint] = now + (min(SOON * 2, every) if failed else every)
    bot.book_stale = _book_is_stale(world, bot, connector, now)
    bot.tick_seconds = bot.dice.uniform(0.9, 1.1) * (SLOW_TICK if world.network_down else TICK)
    bot.tick_seconds *= world.host.slowness
    if not connector.ready:
        world.log(bot, "WARNING", STRATEGY, "bitget is not ready. Please wait...")
    elif bot.orders:
        _quote(world, bot, process, seconds)


def _book_is_stale(world: WorldState, bot: Bot, connector: Connector, now: float) -> bool:
    lost_at = connector.lost.get("book")
    if bot.name in world.exchange.silent:
        bot.silent_since = min(bot.silent_since, now)
        return now - bot.silent_since > STALE_AFTER
    bot.silent_since = now
    return lost_at is not None and now - lost_at > STALE_AFTER


def _listen(world: WorldState, bot: Bot, connector: Connector, socket: Endpoint) -> None:
    """See whether a socket stands; open it anew where it does not."""
    now, logger = world.clock.now(), BOOKS if socket == "book" else STREAM
    reply = world.exchange.asked(bot.name, socket, now, bot.dice)
    connector.due[socket] = now + (SOCKET_LOOK if reply is None else SOCKET_RETRY)
    if reply is None:
        connector.answered.add(socket)
        connector.lost.pop(socket, None)
        return
    bot.ws_reconnects += 1
    if socket not in connector.lost:
        connector.lost[socket] = now
        if socket in connector.answered:
            _closed(world, bot, socket)
            return
    if isinstance(reply, Refusal) and reply.code and socket == "user_stream":
        world.log(bot, "ERROR", logger, "Error authenticating the private websocket connection")
        last = "OSError: Private websocket connection authentication failed"
    else:
        last = reply.exception(socket, now)
    said = (
        "Unexpected error occurred when listening to order book streams. Retrying in 5 seconds..."
        if socket == "book"
        else "Unexpected error while listening to user stream. Retrying after 5 seconds..."
    )
    world.log(bot, "ERROR", logger, said, trace("_connected_websocket_assistant", last))


def _closed(world: WorldState, bot: Bot, socket: Endpoint) -> None:
    kind = "public" if socket == "book" else "private"
    text = (
        f"The websocket connection was closed (WS connection closed unexpectedly. Close code = 1006 msg data: None, "
        f"wss://{host_of(socket)}/v2/ws/{kind})"
    )
    world.log(bot, "WARNING", BOOKS if socket == "book" else STREAM, text)


def socket_dropped(world: WorldState, bot: Bot, socket: Endpoint) -> None:
    """Close a socket as happens every day: it is open again at once."""
    bot.ws_reconnects += 1
    _closed(world, bot, socket)


def _poll(world: WorldState, bot: Bot, connector: Connector, endpoint: Endpoint) -> bool:
    """Ask once; return whether it failed."""
    now = world.clock.now()
    reply = world.exchange.asked(bot.name, endpoint, now, bot.dice)
    if endpoint == "time":
        _network_status(world, bot, connector, reply)
    if reply is None:
        connector.answered.add(endpoint)
        return False
    last = reply.exception(endpoint, now)
    match endpoint:
        case "account":
            _account_failed(world, bot, last)
        case "rules":
            _pair(world, bot, "Unexpected error while fetching trading rules.", "_update_trading_rules", last)
            world.log(
                bot,
                "WARNING",
                BITGET,
                "Could not fetch new trading rules from Bitget. Check network connection.",
            )
        case "time" if now - connector.offset_refreshed > EVERY["account"]:
            connector.offset_refreshed = now
            world.log(
                bot, "NETWORK", TIME, "Error getting server time.", trace("update_server_time_offset", last)
            )
            world.log(
                bot, "WARNING", TIME, f"Could not refresh server time. Check network connection. {last}"
            )
        case "orders":
            _status_failed(world, bot, connector, last)
        case _:
            pass
    return True


def _account_failed(world: WorldState, bot: Bot, last: str) -> None:
    if bot.dice.random() < 0.5:  # noqa: PLR2004 - balances and orders are asked for in turn
        text = f"Failed to update balances. Error: {last.partition(': ')[2]}"
        world.log(bot, "WARNING", BITGET, text, trace("_update_balances", last))
        return
    _pair(
        world,
        bot,
        "Unexpected error while fetching account updates.",
        "_status_polling_loop_fetch_updates",
        last,
    )
    text = "Could not fetch account updates from Bitget. Check API key and network connection."
    world.log(bot, "WARNING", BITGET, text)


def _status_failed(world: WorldState, bot: Bot, connector: Connector, last: str) -> None:
    connector.status_failures += 1
    order = order_id(bot)
    world.log(bot, "NETWORK", BITGET, f"Error fetching status update for the order {order}: {last}.")
    if connector.status_failures % 4 == 0:
        text = f"The order {order} has failed its status check 4 times and will be considered lost. "
        world.log(bot, "WARNING", TRACKER, text + "Please check its status in the exchange.")


def _network_status(world: WorldState, bot: Bot, connector: Connector, reply: Reply | None) -> None:
    """The check itself is silent; what it finds is told when it changes. One that runs into a time-out finds nothing."""
    if reply == NoAnswer("timeout"):
        return
    connected = reply is None or (isinstance(reply, Refusal) and reply.status < 500 and reply.status != 403)  # noqa: PLR2004
    if connected == connector.connected:
        return
    connector.connected = connected
    word = "CONNECTED. Starting" if connected else "NOT_CONNECTED. Stopping"
    world.log(bot, "INFO", BITGET, f"Network status has changed to NetworkStatus.{word} networking...")


def _quote(world: WorldState, bot: Bot, process: Process, seconds: float) -> None:
    """Place orders at the pace at which they are cancelled; a refused one leaves no order in the book."""
    refresh = max(process.number("order_refresh_time", 30.0), 0.5)
    wanted, rest = divmod(bot.orders * seconds / refresh, 1)
    for _ in range(min(int(wanted) + (bot.dice.random() < rest), bot.orders)):
        side = bot.dice.choice(("BUY", "SELL"))
        now = world.clock.now()
        if bot.unplaceable is not None and (not bot.unplaceable.side or bot.unplaceable.side == side):
            bot.resting[side] = False
            world.log(bot, bot.unplaceable.level, bot.unplaceable.logger, bot.unplaceable.message)
            continue
        reply = world.exchange.asked(bot.name, "place", now, bot.dice, side)
        bot.resting[side] = reply is None
        if reply is None:
            process.connector.retries = 0
        else:
            _order_refused(world, bot, process.connector, side, reply.exception("place", now))


def _order_refused(world: WorldState, bot: Bot, connector: Connector, side: str, last: str) -> None:
    bot.order_failures += 1
    connector.retries = connector.retries % RETRIES + 1
    order, price = order_id(bot), bot.market.mid * bot.dice.uniform(0.998, 1.002)
    text = f"Error submitting {side} LIMIT order to Bitget for {60 / price:.6f} {bot.pair} {price:.2f}."
    _pair(world, bot, text, "_place_order_and_process_update", last)
    failed = f"Failed to submit {side} order to Bitget. Check API key and network connection."
    world.log(bot, "WARNING", BITGET, failed)
    kind, _, said = last.partition(": ")
    update = (
        f"Order {order} has failed. Order Update: OrderUpdate(trading_pair='{bot.pair}', new_state="
        f"<OrderState.FAILED: 6>, misc_updates={{'error_message': '{said}', 'error_type': '{kind}'}})"
    )
    world.log(bot, "INFO", TRACKER, update)
    world.log(bot, "ERROR", EXECUTOR, f"Open order failed {order}. Retrying {connector.retries}/{RETRIES}")


def cancel_refused(world: WorldState, bot: Bot, reply: Reply) -> bool:
    """Log one refused cancel. Returns whether it was a failure: most orders that are not found are filled."""
    order = order_id(bot)
    if isinstance(reply, Refusal) and reply.code in NOT_FOUND_CODES:
        world.log(bot, "WARNING", BITGET, f"Failed to cancel order {order} (order not found)")
        return False
    bot.order_failures += 1
    last = reply.exception("cancel", world.clock.now())
    world.log(bot, "ERROR", BITGET, f"Failed to cancel order {order}", trace("_execute_order_cancel", last))
    return True


def _pair(world: WorldState, bot: Bot, message: str, function: str, last: str) -> None:
    world.log(bot, "NETWORK", BITGET, message, trace(function, last))


def order_id(bot: Bot) -> str:
    """Return an order's id in the client's form."""
    return f"x-Hb2{bot.dice.choice('BS')}{bot.pair.replace('-', '')[:3]}{bot.dice.getrandbits(56):014x}"


def trace(
    function: str, last: str, file: str = "hummingbot/connector/exchange_py_base.py"
) -> tuple[str, ...]:
    """Return a traceback's lines; the last one is the exception."""
    return (
        "Traceback (most recent call last):",
        f'  File "/home/hummingbot/{file}", line 482, in {function}',
        "    response = await self._api_request(",
        '  File "/home/hummingbot/hummingbot/core/web_assistant/rest_assistant.py", line 99, in execute_request',
        "    raise",
        last,
    )
