"""The bot's memory climbs slowly towards its limit."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth

NEARLY = 676e6


def strike(desk: Breaker) -> None:
    """Let it grow to just below the limit."""
    process = desk.struck.process

    def climb() -> None:
        if process is not None and process.leaked < NEARLY:
            process.leaked += 12e6

    desk.every(10, climb)


FAULT = Fault(
    name="memory-climbs",
    story="The bot's memory climbs slowly towards its limit.",
    truth=Truth("memory_leak", tolerated=("restart {bot}", "recreate {bot}")),
    strike=strike,
)
