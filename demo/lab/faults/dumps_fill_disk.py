"""Database dumps that nobody removes fill the disk."""

from demo.desk.host import DISK
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Write dumps."""

    def dump() -> None:
        desk.world.host.other_disk = min(desk.world.host.other_disk + 2.2e9, 0.4 * DISK)

    desk.every(30, dump)


FAULT = Fault(
    name="dumps-fill-disk",
    story="Database dumps that nobody removes fill the disk.",
    truth=Truth("disk_full"),
    strike=strike,
    bots=(),
    settles=900,
)
