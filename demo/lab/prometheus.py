"""Prometheus as the lab has it: the demo's stand-in without its port, moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from demo.desk.metrics_bots import bot_metrics
from demo.desk.metrics_infra import cadvisor, node_exporter
from demo.servers.promql import RememberingEvaluator
from demo.servers.rules import Alert, RuleEngine, load
from demo.servers.scraping import Scraper, Target
from demo.servers.tsdb import Tsdb, labels_of

if TYPE_CHECKING:
    from demo.desk.world import World

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "desk-rules.yml"
STEP, EVALUATES_EVERY = 30.0, 60.0
INSTANCES = {
    "bot-metrics": "bot-metrics-exporter:9400",
    "node-exporter": "node-exporter:9100",
    "cadvisor": "cadvisor:8080",
}
OWN = {"job": "prometheus", "instance": "localhost:9090"}


@dataclass(slots=True)
class LabPrometheus:
    """Scrapes the world and evaluates the desk's rules. ``reload_ok`` is what it says of its last reload."""

    world: World
    tsdb: Tsdb = field(default_factory=Tsdb)
    reload_ok: bool = True
    scraper: Scraper = field(init=False)
    evaluator: RememberingEvaluator = field(init=False)
    engine: RuleEngine = field(init=False)

    def __post_init__(self) -> None:
        made: dict[str, Callable[[], str]] = {
            "bot-metrics": partial(bot_metrics, self.world),
            "node-exporter": partial(node_exporter, self.world),
            "cadvisor": partial(cadvisor, self.world),
        }
        targets = [Target(job, INSTANCES[job], page) for job, page in made.items()]
        self.scraper = Scraper(self.tsdb, targets, self.world.clock, STEP)
        self.evaluator = RememberingEvaluator(self.tsdb, round(STEP * 1000))
        self.engine = RuleEngine(self.tsdb, self.evaluator, load(RULES, STEP))

    @property
    def works(self) -> bool:
        """Whether its container does its work."""
        return self.world.works("prometheus")

    async def scrape(self) -> None:
        """Scrape all targets, and write what it says of itself."""
        if not self.works:
            return
        await self.scraper.scrape_all()
        at_ms = round(self.world.clock.now() * 1000)
        name = "prometheus_config_last_reload_successful"
        self.tsdb.append(labels_of({**OWN, "__name__": name}), at_ms, float(self.reload_ok))

    def lose_rules(self) -> None:
        """Go on without any rule; the last reload failed."""
        self.engine, self.reload_ok = RuleEngine(self.tsdb, self.evaluator, []), False

    def evaluate(self) -> None:
        """Evaluate the rules that are due."""
        if self.works:
            self.engine.run_due(self.world.clock.now())

    def firing(self) -> list[Alert]:
        """Return the alerts that fire, the Watchdog too."""
        return [alert for _, alert in self.engine.active() if alert.state == "firing"]
