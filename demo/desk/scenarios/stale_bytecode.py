"""A deploy brings new controller code and its new setting; the process still loads yesterday's bytecode."""

from demo.desk.controller_code import NEW_SETTING, NEW_VERSION, write_source
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"


def start(world: World) -> None:
    """Deploy 2.4.1 to bot1 as people do it: copy the files, add the setting, restart the container."""
    write_source(world.layout.controllers(BOT), NEW_VERSION, world.clock.now())
    steps.set_setting(world, BOT, NEW_SETTING, "0.3")
    steps.restart(world, BOT)


def cured(world: World) -> bool:
    """Whether bot1 works."""
    return steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="stale-bytecode",
    title="Stale bytecode after a deploy",
    story="Controller 2.4.1 is copied to bot1 with its new setting, and the container restarted. It fails on every tick.",
    cause="stale_bytecode",
    cause_sentence="The __pycache__ folders still hold 2.4.0, which does not know the new setting inventory_skew_cap.",
    remedies=(
        Remedy("clear_cache", BOT, "Without the old bytecode the recreated process compiles the new source."),
        Remedy(
            "rollback", BOT, "The config of last night lacks the new setting: the old code is happy with it."
        ),
    ),
    alerts=("BotLogErrorSpike", "BotSoftPauseTooLong"),
    develops_in=420,
    start=start,
    cured=cured,
)
