"""bot1 starts while the exchange refuses the fee query, and stays on the fallback profile."""

from demo.desk.bot_model import API_FEES
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"
REFUSED_FOR = 240.0


def start(world: World) -> None:
    """Refuse the fee query for 4 minutes and restart bot1 into them."""
    world.exchange.fees_refused_until = world.clock.now() + REFUSED_FOR
    steps.restart(world, BOT)


def cured(world: World) -> bool:
    """Whether bot1 has its fees from the exchange again."""
    process = world.bots[BOT].process
    return process is not None and process.fee_source == API_FEES and steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="fee-fallback",
    title="Fee source falls back",
    story="bot1 is restarted just when the exchange refuses its fee query. It goes on with the fees of a file.",
    cause="fee_fallback",
    cause_sentence="The fee query failed once, at the start, and bot1 asks only then: it still uses fee_profiles.json.",
    remedies=(
        Remedy("restart", BOT, "A new process asks the exchange again, which answers by now."),
        Remedy("recreate", BOT, "As a restart."),
    ),
    alerts=("BotFeeSourceFallback",),
    develops_in=300,
    start=start,
    cured=cured,
)
