"""The exchange bans bot1's key for asking too much; every further request renews the ban."""

from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"


def start(world: World) -> None:
    """Ban bot1's key."""
    world.exchange.ban(BOT, world.clock.now())


def cured(world: World) -> bool:
    """Whether the ban is over and the log is calm."""
    return BOT not in world.exchange.banned and steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="exchange-errors",
    title="Exchange errors flood the log",
    story="Bitget answers every order of bot1 with 429. The bot tries on, and its log fills with errors.",
    cause="exchange_rate_limit",
    cause_sentence="The exchange banned bot1's key for too many requests, and each new order renews the ban.",
    remedies=(
        Remedy("soft_pause", BOT, "With no orders for five minutes the ban ends; then resume."),
        Remedy("kill_switch", BOT, "Ends the orders as well, but leaves the bot stopped until a resume."),
    ),
    alerts=("BotLogErrorSpike", "ExchangeOrderFailureSpike"),
    develops_in=180,
    start=start,
    cured=cured,
)
