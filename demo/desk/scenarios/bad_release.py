"""A new image whose cancel requests the exchange refuses."""

from demo.desk.images import BAD_IMAGE, GOOD_IMAGE
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"


def start(world: World) -> None:
    """Pin the new image in ``.env`` and recreate bot1 with it."""
    steps.set_env(world, "HUMMINGBOT_IMAGE", BAD_IMAGE)
    steps.recreate(world, BOT)


def cured(world: World) -> bool:
    """Whether bot1 works under another image."""
    bot = world.bots[BOT]
    under_bad = bot.process is not None and bot.process.image.reference == BAD_IMAGE
    return not under_bad and steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="bad-release",
    title="A bad release that needs a rollback",
    story="Image version-2.5.0 goes to bot1. Within minutes cancels fail in a row and the bot stops hard.",
    cause="bad_release",
    cause_sentence="version-2.5.0 sends a clientOid the exchange refuses: nine of ten cancels fail.",
    remedies=(Remedy("rollback", BOT, f"Back to the image before it, {GOOD_IMAGE}."),),
    alerts=("BotHardStopActive",),
    develops_in=240,
    start=start,
    cured=cured,
)
