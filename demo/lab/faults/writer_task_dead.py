"""The task that writes the minutes died of an exception; the bot trades on."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Log its end once, and write no minute until the process is another one."""
    last = "KeyError: 'net_edge_pct'"
    text = "Unhandled error in background task: 'net_edge_pct'"
    desk.says("ERROR", "hummingbot.core.utils.async_utils", text, trace("safe_wrapper", last))
    process = desk.struck.process
    desk.struck.writes_nothing = True

    def heal() -> None:
        if desk.struck.process is not process:
            desk.struck.writes_nothing = False

    desk.every(5, heal)


FAULT = Fault(
    name="writer-task-dead",
    story="The task that writes the minutes died of an exception; the bot trades on.",
    truth=Truth(
        "background_task_dead", also=frozenset({"frozen_bot"}), right=("restart {bot}", "recreate {bot}")
    ),
    strike=strike,
)
