"""A service was switched to debug logging by hand: its container log fills the disk."""

from demo.desk.host import DISK
from demo.desk.scenarios import steps
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

SERVICE = "signal-service"
ROOMY_SHARE = 0.85


def start(world: World) -> None:
    """Switch the service to debug logging."""
    container = world.engine.of_service(SERVICE)
    if container is not None:
        world.debug_logging.add(container.id)


def cured(world: World) -> bool:
    """Whether there is room again and the bots write their minutes."""
    return world.host.disk_used / DISK < ROOMY_SHARE and steps.bot_well(world, "bot2")


SCENARIO = Scenario(
    name="disk-fills",
    title="Disk fills",
    story="The host's disk loses six gigabytes a minute. When it is full, the bots cannot write their minutes.",
    cause="disk_full",
    cause_sentence="hbot-signal-service was left in debug logging; its log, kept across restarts, fills the disk.",
    remedies=(
        Remedy(
            "recreate", SERVICE, "The old container takes its log with it; a restart would keep the file."
        ),
    ),
    alerts=("HighDiskUsage", "DiskAlmostFull"),
    develops_in=840,
    start=start,
    cured=cured,
)
