"""One bot's loop hangs while the disk fills and still takes writes."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Fill most of the disk, and hang the bot."""
    desk.world.host.other_disk = 78e9
    desk.container("bot1").hung = True


FAULT = Fault(
    name="loop-hangs-on-a-small-disk",
    story="One bot's loop hangs while the disk fills and still takes writes.",
    truth=Truth("disk_full", tolerated=("restart bot1", "recreate bot1")),
    strike=strike,
    bots=(),
    beside=((Truth("frozen_bot", tolerated=("restart bot1", "recreate bot1")), "bot1"),),
)
