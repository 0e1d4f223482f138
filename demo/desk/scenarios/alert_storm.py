"""The host's network fails while a parameter sweep runs: one cause, hundreds of alerts."""

from demo.desk.scenarios import steps
from demo.desk.scenarios.base import NOTHING, Remedy, Scenario
from demo.desk.world import World

SWEEP_BOTS = 60
DOWN_FOR = 1_200.0
CALM_SWEEP = 20


def start(world: World) -> None:
    """Start the sweep and cut the network for 20 minutes."""
    now = world.clock.now()
    world.sweep.launch(SWEEP_BOTS, now)
    world.exchange.network_down_until = now + DOWN_FOR


def cured(world: World) -> bool:
    """Whether the network is back and the logs are calm."""
    calm = world.sweep.errors <= CALM_SWEEP and all(steps.bot_well(world, name) for name in world.bots)
    return calm and not world.network_down


SCENARIO = Scenario(
    name="alert-storm",
    title="Alert storm",
    story="Sixty bots of a parameter sweep run when the host loses its network: each of them breaks several rules.",
    cause="network_down",
    cause_sentence="The host's uplink failed; no bot reached the exchange, and every rule that could fire did.",
    remedies=(Remedy(NOTHING, "desk", "The uplink comes back by itself; restarts do not bring it back."),),
    alerts=(
        "OrderBookStale",
        "BotLogErrorSpike",
        "WsReconnectSpike",
        "TickDurationHigh",
        "HighNetworkErrorRate",
    ),
    develops_in=180,
    start=start,
    cured=cured,
)
