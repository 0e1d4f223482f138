"""The market rallies, then falls: bot1's drawdown passes its hard limit."""

from demo.desk.scenarios.base import NOTHING, Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"
RALLY, FALL = (480.0, 0.024), (300.0, -0.058)


def start(world: World) -> None:
    """Let BTC-USDT rise by 2.4 % in 8 minutes and fall by 5.8 % in the next 5."""
    world.bots[BOT].market.move([RALLY, FALL])


def cured(world: World) -> bool:
    """Whether the stop was taken back after its review."""
    bot = world.bots[BOT]
    return not bot.account.latched and bot.state != "hard_stop"


SCENARIO = Scenario(
    name="hard-stop",
    title="Hard stop after a drawdown",
    story="BTC-USDT runs up and then drops by almost six percent in five minutes. bot1 holds half of its worth in BTC.",
    cause="drawdown_limit",
    cause_sentence="The fall took bot1's drawdown past its hard limit of 2.5 %; its own guard stopped it, as it should.",
    remedies=(
        Remedy(
            NOTHING,
            BOT,
            "Leave it stopped and review. A resume is refused for 30 minutes, then it is a decision.",
        ),
    ),
    alerts=("BotHardStopActive", "BotDailyPnlDrawdown"),
    develops_in=840,
    start=start,
    cured=cured,
)
