"""A config change makes bot1 requote every second: the exchange refuses the flood of cancels."""

from demo.desk.bot_tick import CANCELS_ALLOWED
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"


def start(world: World) -> None:
    """Set ``order_refresh_time`` from 30 seconds to 1 and recreate bot1."""
    steps.set_setting(world, BOT, "order_refresh_time", "1")
    steps.recreate(world, BOT)


def cured(world: World) -> bool:
    """Whether bot1 works and asks for few cancels."""
    return steps.bot_well(world, BOT) and world.bots[BOT].cancel_per_min < CANCELS_ALLOWED


SCENARIO = Scenario(
    name="bad-config",
    title="A config release that needs a rollback",
    story="Somebody lets bot1 requote every second. The exchange refuses the cancels and the bot stops hard.",
    cause="bad_release",
    cause_sentence="order_refresh_time was set to 1 s: 240 cancels a minute are more than the exchange takes.",
    remedies=(Remedy("rollback", BOT, "The config of last night requotes every 30 seconds."),),
    alerts=("BotHardStopActive",),
    develops_in=240,
    start=start,
    cured=cured,
)
