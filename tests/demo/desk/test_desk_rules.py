"""The shipped alert rules, evaluated over the simulated desk's metrics."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo.desk.images import GOOD_IMAGE
from demo.desk.metrics_infra import pages
from demo.desk.scenarios import SCENARIOS, steps
from demo.desk.world import World
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "desk-rules.yml"
SCRAPE = 15
LONGEST_MINUTES = 36


class WorldClock:
    """The servers' clock, read from the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        """Unix seconds of the world."""
        return self._world.clock.now()

    async def sleep(self, seconds: float) -> None:
        """Let the world's time pass."""
        self._world.advance(seconds)


class Watch:
    """Steps world and Prometheus together and says what fires."""

    def __init__(self, world: World, prometheus: PrometheusServer) -> None:
        self.world, self._prometheus = world, prometheus

    async def step(self, minutes: float) -> None:
        """Let minutes pass, scraping and evaluating every 15 seconds."""
        for _ in range(int(minutes * 60 / SCRAPE)):
            self.world.advance(SCRAPE)
            await self._prometheus.tick()

    def firing(self) -> list[str]:
        """Return the names of the firing alerts, one for each, but the Watchdog's."""
        alerts = [alert for _, alert in self._prometheus.engine.active() if alert.state == "firing"]
        return [alert.labels["alertname"] for alert in alerts if alert.labels["alertname"] != "Watchdog"]


@pytest.fixture
async def watch(world: World) -> AsyncIterator[Watch]:
    """A watch over a desk that has been scraped for three minutes."""
    targets = [Target(job, f"{job}:1", page) for job, page in pages(world).items()]
    async with PrometheusServer(PrometheusConfig(targets, [RULES]), WorldClock(world)) as prometheus:
        one = Watch(world, prometheus)
        await one.step(3)
        yield one


async def test_a_calm_desk_fires_nothing(watch: Watch) -> None:
    """Three quarters of an hour without a scenario."""
    for _ in range(9):
        await watch.step(5)
        assert watch.firing() == []


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_fires_its_alerts(watch: Watch, name: str) -> None:
    """Each alert a scenario names fires within 36 minutes of the desk's time."""
    SCENARIOS[name].start(watch.world)
    expected, seen = set(SCENARIOS[name].alerts), set[str]()
    for _ in range(LONGEST_MINUTES):
        await watch.step(1)
        seen |= set(watch.firing())
        if expected <= seen:
            break
    assert expected <= seen


async def test_a_storm_is_hundreds_of_alerts(watch: Watch) -> None:
    """Sixty bots and five rules: the fan-out the bot must stand."""
    SCENARIOS["alert-storm"].start(watch.world)
    await watch.step(8)
    assert len(watch.firing()) >= 240


def _roll_back(world: World) -> None:
    steps.set_env(world, "HUMMINGBOT_IMAGE", GOOD_IMAGE)
    steps.recreate(world, "bot1")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("frozen-bot", lambda world: steps.restart(world, "bot1")),
        ("metrics-blind", lambda world: steps.restart(world, "bot-metrics-exporter")),
        ("bad-release", _roll_back),
    ],
)
async def test_alerts_resolve_when_the_cause_is_gone(
    watch: Watch, name: str, remedy: Callable[[World], None]
) -> None:
    """The right remedy ends the firing within minutes."""
    SCENARIOS[name].start(watch.world)
    await watch.step(10)
    assert watch.firing()
    remedy(watch.world)
    await watch.step(6)
    assert watch.firing() == []
