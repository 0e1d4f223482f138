"""bot1's process hangs: its last state stays on show, and it receives nothing."""

from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"


def start(world: World) -> None:
    """Let the process hang."""
    container = world.engine.of_service(BOT)
    if container is not None:
        container.hung = True


def cured(world: World) -> bool:
    """Whether bot1 works."""
    return steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="frozen-bot",
    title="Frozen bot",
    story="The dashboards say that bot1 is running. Its last minute is getting older and older.",
    cause="frozen_bot",
    cause_sentence="A deadlock froze bot1's event loop: no minute rows, no log lines, no intents taken.",
    remedies=(
        Remedy("restart", BOT, "A new process has no deadlock."),
        Remedy("recreate", BOT, "As a restart."),
    ),
    alerts=("BotFrozen", "MinutePipelineStale"),
    develops_in=300,
    start=start,
    cured=cured,
)
