"""A burst of harmless errors at midnight's log rotation, and calm since."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Write the burst."""
    for _ in range(34):
        desk.says("ERROR", "asyncio", "Unclosed client session")


FAULT = Fault(
    name="errors-that-are-over",
    story="A burst of harmless errors at midnight's log rotation, and calm since.",
    truth=Truth("blip", also=frozenset({"log_errors_other", "nothing_is_wrong"})),
    strike=strike,
)
