"""Redis cannot open its append-only file; it exits at each start, and the external services fail without it."""

from demo.desk.bot_tick import BUS_PAUSE
from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.services import EXTERNAL
from demo.desk.world import World


def start(world: World) -> None:
    """Break the volume under Redis; the running process notices at once."""
    world.redis.volume_broken = True


def cured(world: World) -> bool:
    """Whether no container ends any more and no bot pauses for the bus: without the external stack, or with it back.

    Not before the volume works again: a person who is told that it is cured leaves degraded mode.
    """
    containers = [world.engine.of_service(name) for name in ("redis", *EXTERNAL)]
    return (
        not world.redis.volume_broken
        and all(one is None or one.status in {"running", "exited"} for one in containers)
        and world.clock.now() - world.redis.churned_at >= BUS_PAUSE
        and not any("bus_outage" in bot.reasons for bot in world.bots.values())
    )


SCENARIO = Scenario(
    name="redis-dies",
    title="Redis dies",
    story="Redis loses its volume and dies at every start. The services on it follow, the bots pause for their bus.",
    cause="redis_down",
    cause_sentence="The volume under Redis went read-only: Redis exits at every start until it is left alone for a while.",
    remedies=(
        Remedy(
            "degraded_mode",
            "desk",
            "With the external stack stopped the bots run on their own guards, and the volume gets the rest it needs.",
        ),
    ),
    alerts=("ContainerRestartLoop", "BotSoftPauseTooLong"),
    develops_in=120,
    start=start,
    cured=cured,
)
