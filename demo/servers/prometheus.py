"""A Prometheus stand-in: scrapes, keeps, evaluates rules, tells Alertmanager, and answers the HTTP API like 2.42."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import aiohttp
from aiohttp import web
from loguru import logger

from demo.clock import Clock, SimClock
from demo.servers.local_server import Handler, LocalServer
from demo.servers.prometheus_api import PrometheusApi
from demo.servers.promql import Evaluator, RememberingEvaluator
from demo.servers.rules import Alert, RuleEngine, load, to_alertmanager
from demo.servers.scraping import Scraper, Target
from demo.servers.tsdb import Tsdb, labels_of

RETENTION_MS = 48 * 3600 * 1000
NOTIFY_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """What a Prometheus is told; intervals in seconds of its clock's time."""

    targets: Sequence[Target] = ()
    rule_files: Sequence[Path] = ()
    alertmanager_url: str = ""
    scrape_interval: float = 15.0
    evaluation_interval: float = 15.0
    external_labels: dict[str, str] = field(default_factory=dict)


class PrometheusServer(LocalServer):
    """Prometheus on a loopback port.

    `run()` scrapes and evaluates until it is cancelled; a test may call `tick()` instead and move its own clock.
    A rules file that cannot be loaded leaves the old rules, and `prometheus_config_last_reload_successful` at 0.
    """

    def __init__(self, config: PrometheusConfig, clock: Clock | None = None, *, port: int = 0) -> None:
        super().__init__(port)
        self.config = config
        self.clock = clock or SimClock()
        self.tsdb = Tsdb()
        self.scraper = Scraper(self.tsdb, list(config.targets), self.clock, config.scrape_interval)
        self.evaluator = Evaluator(self.tsdb, round(config.evaluation_interval * 1000))
        self._of_rules = RememberingEvaluator(self.tsdb, round(config.evaluation_interval * 1000))
        self.engine = RuleEngine(self.tsdb, self._of_rules, [])
        self.alertmanager_url = config.alertmanager_url
        self.reload_error = ""
        self.started_at = self.clock.now()
        self._next_scrape = 0.0
        self.notify_errors = 0
        self._api = PrometheusApi(self)
        self.reload()

    def routes(self) -> list[web.RouteDef]:
        """The query API, rules, alerts, targets, health."""
        return self._api.routes()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into Prometheus' JSON error bodies."""
        return await self._api.answer(request, handler)

    def reload(self) -> bool:
        """Read the rules files anew; returns whether they were good."""
        try:
            groups = [
                g for path in self.config.rule_files for g in load(path, self.config.evaluation_interval)
            ]
        except ValueError as error:
            self.reload_error = str(error)
            return False
        self.reload_error = ""
        self.engine = RuleEngine(self.tsdb, self._of_rules, groups)
        return True

    async def tick(self) -> None:
        """Do what is due at the clock's present time: scrape, evaluate, notify."""
        now = self.clock.now()
        if now >= self._next_scrape:
            self._next_scrape = now + self.config.scrape_interval
            await self.scraper.scrape_all()
            self._write_own(now)
            self.tsdb.forget_before(round(now * 1000) - RETENTION_MS)
        await self._notify(self.engine.run_due(now))

    async def run(self) -> None:
        """Work until cancelled, at the pace of the clock."""
        pause = min(self.config.scrape_interval, self.config.evaluation_interval) / 4
        while True:
            await self.tick()
            await self.clock.sleep(pause)

    def graph_url(self, expr: str) -> str:
        """Return the address of an expression in the web page, as alerts carry it in `generatorURL`."""
        return f"{self.url}/graph?g0.expr={quote_plus(expr)}&g0.tab=1"

    def _write_own(self, now: float) -> None:
        """Write the metrics Prometheus has about itself, as if it scraped itself."""
        own = {"job": "prometheus", "instance": "localhost:9090"}
        at_ms = round(now * 1000)
        values = {"prometheus_config_last_reload_successful": float(not self.reload_error)}
        for name, value in values.items():
            self.tsdb.append(labels_of({**own, "__name__": name}), at_ms, value)
        for group in self.engine.groups:
            labels = {**own, "rule_group": f"{group.file};{group.name}"}
            for name, value in (
                ("prometheus_rule_evaluation_failures_total", float(group.failures)),
                ("prometheus_rule_evaluations_total", float(group.evaluations)),
            ):
                self.tsdb.append(labels_of({**labels, "__name__": name}), at_ms, value)

    async def _notify(self, alerts: list[Alert]) -> None:
        """Send alerts; one that cannot be sent is sent again in a minute, as Prometheus does."""
        if not alerts or not self.alertmanager_url:
            return
        body = [to_alertmanager(a, self.graph_url(a.expr), self.config.external_labels) for a in alerts]
        timeout = aiohttp.ClientTimeout(total=NOTIFY_TIMEOUT)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(f"{self.alertmanager_url}/api/v2/alerts", json=body) as answer,
            ):
                answer.raise_for_status()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self.notify_errors += 1
            logger.bind(alerts=len(body), url=self.alertmanager_url).warning("alerts not sent: {}", error)
