"""The bot leaks file handles and has none left."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let no file and no connection open until the process is another one."""
    desk.cut_off("too_many_files")
    trouble, process = desk.world.exchange.troubles[-1], desk.struck.process
    text = "Unexpected error running clock tick."
    desk.keeps_saying(
        20, "ERROR", "hummingbot.core.clock", text, trace("c_tick", "OSError: [Errno 24] Too many open files")
    )

    def heal() -> None:
        if desk.struck.process is not process and trouble in desk.world.exchange.troubles:
            desk.world.exchange.troubles.remove(trouble)

    desk.every(5, heal)


FAULT = Fault(
    name="file-handles-used-up",
    story="The bot leaks file handles and has none left.",
    truth=Truth("fd_leak", right=("restart {bot}", "recreate {bot}")),
    strike=strike,
)
