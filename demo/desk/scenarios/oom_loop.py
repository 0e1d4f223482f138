"""The internal paper engine keeps every order: bot1 passes its memory limit every minute and a half."""

from demo.desk.host import BOT_MEMORY
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

BOT = "bot1"
LEAKED = 100e6


def start(world: World) -> None:
    """Let the paper engine keep all orders, and recreate bot1."""
    steps.set_setting(world, BOT, "paper_order_queue_limit", "0")
    steps.recreate(world, BOT)


def cured(world: World) -> bool:
    """Whether bot1 works and its memory does not grow."""
    container, process = world.engine.of_service(BOT), world.bots[BOT].process
    leaking = process is None or process.leaks
    calm = container is not None and container.memory < BOT_MEMORY + LEAKED
    return not leaking and calm and steps.bot_well(world, BOT)


SCENARIO = Scenario(
    name="oom-loop",
    title="Restart loop by OOM",
    story="Since the last change bot1 grows to its limit of 1 GiB, is killed, restarts, and grows again.",
    cause="oom_restart_loop",
    cause_sentence="paper_order_queue_limit was set to 0, so the internal paper engine keeps every order it ever saw.",
    remedies=(
        Remedy("rollback", BOT, "The config of last night limits the queue to 5,000 orders."),
        Remedy("disable_internal_paper", BOT, "Without the internal paper engine there is no queue."),
    ),
    alerts=("ContainerOomKilled", "ContainerRestartLoop"),
    develops_in=420,
    start=start,
    cured=cured,
)
