"""The metrics exporter hangs: the bots work, and no metric shows it."""

from demo.desk.scenarios.base import Remedy, Scenario
from demo.desk.world import World

SERVICE = "bot-metrics-exporter"


def start(world: World) -> None:
    """Let the exporter hang."""
    container = world.engine.of_service(SERVICE)
    if container is not None:
        container.hung = True


def cured(world: World) -> bool:
    """Whether the exporter answers."""
    container = world.engine.of_service(SERVICE)
    return container is not None and container.working


SCENARIO = Scenario(
    name="metrics-blind",
    title="Prometheus blind",
    story="All panels of the bots go empty. The bots themselves trade on, in their files and streams.",
    cause="metrics_blind",
    cause_sentence="The bot-metrics exporter hangs: its target is down, while the bots write their minutes as ever.",
    remedies=(
        Remedy("restart", SERVICE, "A new process answers the scrapes."),
        Remedy("recreate", SERVICE, "As a restart."),
    ),
    alerts=("PrometheusTargetDown",),
    develops_in=60,
    start=start,
    cured=cured,
)
