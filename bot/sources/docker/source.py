"""The Docker Engine as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.docker.client import Docker, open_docker
from bot.sources.docker.questions import NAME
from bot.sources.docker.settings import DockerSettings
from bot.sources.not_configured import not_configured
from triage.desk import Desk
from triage.ports.sources import Containers, unread_containers


def _open(settings: DockerSettings, opening: Opening) -> Containers:
    if not settings.docker_host:
        stand_in: Containers = not_configured(NAME)
        return stand_in
    return Docker(opening.closing(open_docker(settings.docker_host, total_seconds=opening.total_seconds)))


async def _look(desk: Desk, containers: Containers) -> SourceHealth:
    await containers.ready()
    entries = await containers.list()
    names = {container.name for container in entries if not container.unread}
    seen = f"{len(names)} containers"
    if unread := unread_containers(entries):
        return SourceHealth("warning", f"{seen}; {unread}", "look at what stands before the engine")
    missing = [bot.name for bot in desk.bots if desk.container_of(bot.name) not in names]
    if missing:
        mend = "check compose.container_template and bots in desk.yaml"
        return SourceHealth("warning", f"{seen}, none for {', '.join(missing)}", mend)
    return SourceHealth("ok", seen)


SOURCE = EvidenceSource(
    name="docker",
    fills="containers",
    written="DOCKER_HOST (or TRIAGE_AGENT)",
    settings=DockerSettings,
    open=_open,
    look=_look,
)
