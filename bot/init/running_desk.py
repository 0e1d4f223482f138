"""What runs of a desk, as the engine and Prometheus told it: which containers are its own, and where both are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.init.observed_desk import ObservedDesk
from triage.ports.sources import (
    ENV_FILE_LABEL,
    FILES_LABEL,
    FOLDER_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    ContainerState,
    Target,
)

SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True, slots=True)
class LiveDesk:
    """What was answered. ``bots``: those that the series name; ``asked``: whom init asked, in words."""

    containers: tuple[ContainerState, ...] = ()
    rules: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    bots: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeskContainers:
    """The desk's own containers by service, the project that their labels name, and what speaks against them."""

    containers: Mapping[str, str]
    project: str = ""
    doubts: tuple[str, ...] = ()


def engine_address(environment: Mapping[str, str]) -> str:
    """Return where the engine listens: DOCKER_HOST, else the usual socket where it is; empty for neither."""
    return environment.get("DOCKER_HOST", "") or (f"unix://{SOCKET}" if SOCKET.is_socket() else "")


def prometheus_address(seen: ObservedDesk, environment: Mapping[str, str]) -> str:
    """Return where this host reaches Prometheus: PROMETHEUS_URL, else the port that the compose file publishes."""
    if environment.get("PROMETHEUS_URL"):
        return environment["PROMETHEUS_URL"]
    found = next((one for one in seen.services if one.is_a("prometheus") and one.published), None)
    return f"http://127.0.0.1:{found.published[0]}" if found is not None else ""


def running_of(containers: Sequence[ContainerState], seen: ObservedDesk) -> DeskContainers:
    """Return which containers are the desk's: those made from its compose file, by their labels.

    Containers of a project of the same name that were made from another file are another desk's.
    """
    labelled = [one for one in containers if SERVICE_LABEL in one.labels]
    ours = [one for one in labelled if seen.compose_file.resolve() in _files(one)]
    if ours:
        return DeskContainers(_by_service(ours), ours[0].labels.get(PROJECT_LABEL, ""))
    same = [one for one in labelled if one.labels.get(PROJECT_LABEL) == seen.project]
    unnamed = [one for one in same if not _files(one)]
    others = sorted({str(path) for one in same for path in _files(one)})
    doubts = (
        [f"containers of the project {seen.project} run from another file: {', '.join(others)}"]
        if others
        else []
    )
    return DeskContainers(_by_service(unnamed), doubts=tuple(doubts))


def files_of_containers(containers: Sequence[ContainerState], compose_file: Path) -> tuple[Path, ...]:
    """Return the files that the newest container of a compose file was made from; empty where it is that file alone.

    A file that is not here counts for nothing.
    """
    ours = [one for one in containers if compose_file.resolve() in _files(one)]
    newest = max(ours, key=lambda one: one.created_at.timestamp() if one.created_at else 0.0, default=None)
    files = _files(newest) if newest is not None else []
    return tuple(files) if len(files) > 1 and all(file.is_file() for file in files) else ()


def folder_of_containers(containers: Sequence[ContainerState], compose_file: Path) -> Path | None:
    """Return the project's folder by the labels of what runs; None where it is the compose file's own, or not here."""
    named = {
        Path(one.labels[FOLDER_LABEL]).resolve()
        for one in containers
        if one.labels.get(FOLDER_LABEL) and compose_file.resolve() in _files(one)
    }
    folder = named.pop() if len(named) == 1 else None
    return folder if folder not in {None, compose_file.resolve().parent} and folder.is_dir() else None


def env_file_of_containers(containers: Sequence[ContainerState], compose_file: Path) -> Path | None:
    """Return the env file that the newest container of a compose file was made with, where Compose was told of one."""
    ours = [one for one in containers if compose_file.resolve() in _files(one)]
    newest = max(ours, key=lambda one: one.created_at.timestamp() if one.created_at else 0.0, default=None)
    named = Path(newest.labels.get(ENV_FILE_LABEL, "")) if newest is not None else Path()
    return named if named.is_absolute() and named.is_file() else None


def _by_service(containers: Sequence[ContainerState]) -> dict[str, str]:
    """Of several containers of one service, the one that runs counts."""
    ordered = sorted(containers, key=lambda one: (one.status == "running", one.name), reverse=False)
    return {one.labels[SERVICE_LABEL]: one.name for one in ordered}


def _files(container: ContainerState) -> list[Path]:
    """Compose 1 names the file as it was given, relative to the project's folder."""
    named, folder = container.labels.get(FILES_LABEL, ""), container.labels.get(FOLDER_LABEL, "")
    return [(Path(folder) / each).resolve() for each in named.split(",") if each]
