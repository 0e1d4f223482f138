"""Python is given no more memory, below the container's limit: each tick fails."""

from demo.desk.connector import trace
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Write the lines by hand."""
    text = "Unexpected error running clock tick."
    desk.keeps_saying(10, "ERROR", "hummingbot.core.clock", text, trace("tick", "MemoryError"))


FAULT = Fault(
    name="memory-not-given",
    story="Python is given no more memory, below the container's limit: each tick fails.",
    truth=Truth(
        "memory_leak",
        also=frozenset({"code_error", "host_saturated"}),
        tolerated=("restart {bot}", "recreate {bot}", "soft_pause"),
    ),
    strike=strike,
)
