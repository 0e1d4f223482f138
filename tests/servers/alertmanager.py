"""A real Alertmanager on loopback that notifies a webhook within fractions of a second."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, ServerProcess, free_port, stopped_at_exit
from tests.servers.prometheus import answers_ok


def webhook_config(
    url: str,
    *,
    token: str | None = None,
    group_by: Sequence[str] = ("alertname", "severity"),
    group_wait: str = "100ms",
    group_interval: str = "500ms",
    repeat_interval: str = "1h",
) -> dict[str, Any]:
    """Return a configuration with one route to one webhook, grouped as the desk groups."""
    webhook: dict[str, Any] = {"url": url, "send_resolved": True}
    if token is not None:
        webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": token}}
    route = {
        "receiver": "hbot-triage",
        "group_by": list(group_by),
        "group_wait": group_wait,
        "group_interval": group_interval,
        "repeat_interval": repeat_interval,
    }
    receiver = {"name": "hbot-triage", "webhook_configs": [webhook]}
    return {"route": route, "receivers": [receiver], "global": {"resolve_timeout": "5m"}}


class AlertmanagerServer:
    """A running Alertmanager: its address and its API."""

    def __init__(self, program: Path, directory: Path, config: Mapping[str, Any], port: int = 0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.url = f"http://{self.address}"
        self._file = directory / "alertmanager.yml"
        self._write(config)
        options = {
            "config.file": self._file,
            "storage.path": directory / "state",
            "web.listen-address": self.address,
            "cluster.listen-address": "",  # alone: no gossip port
            "log.level": "warn",
        }
        argv: list[str | Path] = [program, *(f"--{key}={value}" for key, value in options.items())]
        self.process = ServerProcess("alertmanager", argv, log=directory / "alertmanager.log")

    def _write(self, config: Mapping[str, Any]) -> None:
        self._file.write_text(json.dumps(config, indent=1))

    async def start(self) -> None:
        """Start it, again after a kill too, and wait until it is ready."""
        self.process.start()
        await self.process.ready(lambda: answers_ok(f"{self.url}/-/ready"))

    async def reload(self, config: Mapping[str, Any]) -> int:
        """Give it another configuration; return the HTTP status (500: it is refused)."""
        self._write(config)
        return (await self._call("POST", "/-/reload")).status_code

    async def fire(self, *alerts: Mapping[str, Any]) -> None:
        """Post alerts as Prometheus does: `labels`, and if wanted `annotations, startsAt, endsAt`."""
        (await self._call("POST", "/api/v2/alerts", alerts)).raise_for_status()

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts it holds now, silenced and inhibited ones too."""
        found: list[dict[str, Any]] = (await self._call("GET", "/api/v2/alerts")).raise_for_status().json()
        return found

    async def silences(self) -> list[dict[str, Any]]:
        """Return every silence, expired ones too."""
        found: list[dict[str, Any]] = (await self._call("GET", "/api/v2/silences")).raise_for_status().json()
        return found

    async def _call(self, method: str, path: str, body: object = None) -> httpx.Response:
        async with plain_client() as http:
            return await http.request(method, self.url + path, json=body)


@contextlib.asynccontextmanager
async def running_alertmanager(
    program: Path, directory: Path, config: Mapping[str, Any], port: int = 0
) -> AsyncIterator[AlertmanagerServer]:
    """Run an Alertmanager with its files in `directory`, ready when handed out; on a free port where none is named."""
    server = AlertmanagerServer(program, directory, config, port)
    async with stopped_at_exit(server.process):
        await server.start()
        yield server
