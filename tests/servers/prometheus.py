"""A real Prometheus on loopback that scrapes and evaluates fast enough for a test."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, ServerProcess, eventually, free_port, stopped_at_exit


@dataclass(slots=True)
class PrometheusConfig:
    """What it scrapes and evaluates; written as JSON, which is YAML."""

    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)  # job -> host:port
    rule_files: Sequence[Path] = ()
    rules: Sequence[Mapping[str, Any]] = ()  # rule groups, as a rule file holds them
    alertmanager: str | None = None  # host:port
    interval: str = "200ms"
    external_labels: Mapping[str, str] = field(default_factory=dict)

    def write(self, directory: Path) -> Path:
        """Write prometheus.yml and the rule groups; return the former."""
        own_rules = directory / "rules.yml"
        own_rules.write_text(json.dumps({"groups": list(self.rules)}))
        timing = {"scrape_interval": self.interval, "scrape_timeout": self.interval}
        config: dict[str, Any] = {
            "global": timing
            | {"evaluation_interval": self.interval, "external_labels": dict(self.external_labels)},
            "rule_files": [str(own_rules), *map(str, self.rule_files)],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(hosts)}]}
                for job, hosts in self.targets.items()
            ],
        }
        if self.alertmanager:
            receiver = {"static_configs": [{"targets": [self.alertmanager]}]}
            config["alerting"] = {"alertmanagers": [receiver]}
        file = directory / "prometheus.yml"
        file.write_text(json.dumps(config, indent=1))
        return file


class PrometheusServer:
    """A running Prometheus: its address, its configuration, and questions to it."""

    def __init__(self, program: Path, directory: Path, config: PrometheusConfig) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._directory = directory
        options = {
            "config.file": config.write(directory),
            "storage.tsdb.path": directory / "tsdb",
            "web.listen-address": f"{LOOPBACK}:{self.port}",
            # Alerts are re-sent at this pace; the default minute is a test's whole life.
            "rules.alert.resend-delay": "1s",
            "log.level": "warn",
        }
        flags = [f"--{key}={value}" for key, value in options.items()]
        argv: list[str | Path] = [program, *flags, "--web.enable-lifecycle"]
        self.process = ServerProcess("prometheus", argv, log=directory / "prometheus.log")

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.process.start()
        await self.answers()

    async def answers(self) -> None:
        """Wait until it is ready."""
        await self.process.ready(lambda: answers_ok(f"{self.url}/-/ready"))

    async def reload(self) -> int:
        """Make it read `self.config` as it is now; return the HTTP status (500: the configuration is refused)."""
        self.config.write(self._directory)
        async with plain_client() as http:
            return (await http.post(f"{self.url}/-/reload")).status_code

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return an instant query's result vector."""
        async with plain_client() as http:
            answer = await http.get(f"{self.url}/api/v1/query", params={"query": expression})
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return result

    async def until(self, expression: str, *, within: float = 40) -> list[dict[str, Any]]:
        """Wait until an instant query has a result, and return it."""
        result: list[dict[str, Any]] = []

        async def asked() -> bool:
            result[:] = await self.query(expression)
            return bool(result)

        await eventually(asked, f"a result of {expression}", within=within, every=0.1)
        return result


@contextlib.asynccontextmanager
async def running_prometheus(
    program: Path, directory: Path, config: PrometheusConfig | None = None
) -> AsyncIterator[PrometheusServer]:
    """Run a Prometheus with its files in `directory`, ready when handed out."""
    server = PrometheusServer(program, directory, config or PrometheusConfig())
    async with stopped_at_exit(server.process):
        await server.start()
        yield server


async def answers_ok(url: str) -> bool:
    """Say whether a GET is answered with 2xx."""
    try:
        async with plain_client(timeout=2) as http:
            return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False
