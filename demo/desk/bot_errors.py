"""What goes wrong in a bot and what its log says of it: usual errors, refused orders, failing code."""

from typing import TYPE_CHECKING

from demo.desk import connector
from demo.desk.bot_model import Bot
from demo.desk.exchange import BANNED
from demo.desk.replies import Refusal

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

THROTTLER = "hummingbot.core.api_throttler.async_request_context_base"
CONTROLLER = "hummingbot.strategy_v2.controllers.epp_v2_4"
NOISE_PER_SECOND = 1 / 1_500
WARNING_PER_SECOND = 1 / 700
TICK_FAILS_EVERY = 12.0


def step(world: "WorldState", bot: Bot, seconds: float) -> None:
    """Let ``seconds`` pass: log what fails in them."""
    _everyday(world, bot, seconds)
    process = bot.process
    if process is None:
        return
    if process.unknown_settings:
        for _ in range(_times(bot, seconds, TICK_FAILS_EVERY)):
            _tick_failed(world, bot, process.unknown_settings[0])
    connector.step(world, bot, process, seconds)
    if world.host.full and bot.dice.random() < seconds / 10:
        path = world.layout.artifacts(bot.name, bot.variant) / "minute.csv"
        world.log(bot, "ERROR", CONTROLLER, f"cannot write {path.name}: [Errno 28] No space left on device")


def _times(bot: Bot, seconds: float, every: float) -> int:
    """Return how often something happens that happens every so many seconds."""
    whole, rest = divmod(seconds / every, 1)
    return int(whole) + (bot.dice.random() < rest)


def _everyday(world: "WorldState", bot: Bot, seconds: float) -> None:
    """Sockets that close and open again, a poll that runs into a time-out: on every desk, every day."""
    if bot.dice.random() < NOISE_PER_SECOND * seconds:
        connector.socket_dropped(world, bot, "book")
    if bot.dice.random() < NOISE_PER_SECOND * seconds / 2:
        text = "Unexpected error while listening to user stream. Retrying after 5 seconds..."
        trace = connector.trace("_iter_message", "TimeoutError: Message receive timed out.")
        world.log(bot, "ERROR", connector.STREAM, text, trace)
    if bot.dice.random() < WARNING_PER_SECOND * seconds:
        text = "API rate limit on /api/v2/spot/trade/place-order (10 calls per 1.0s) has almost reached. "
        world.log(bot, "INFO", THROTTLER, text + "Limits used is 9 in the last 1.0 seconds")


def cancel_refused(world: "WorldState", bot: Bot, *, too_many: bool) -> None:
    """Log one refused cancel: for asking too often, or for what a release does to the request."""
    reply = BANNED if too_many else Refusal(400, "40808", "Parameter verification exception clientOid")
    connector.cancel_refused(world, bot, reply)


def _tick_failed(world: "WorldState", bot: Bot, setting: str) -> None:
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
