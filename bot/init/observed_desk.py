"""What was found of a desk by reading it, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Value:
    """One value with where it was seen; ``guess``: it is likely and was not seen."""

    value: object
    source: str
    guess: bool = False


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service of the compose file. ``container`` is empty where the file leaves the name to Compose.

    ``ports``: what the service listens on inside, as far as its published or exposed ports tell; ``published``: on the
    host. ``elsewhere``: what it takes from files that were not read. ``replicas``: how many containers it is to have.
    ``home_mounted``: something is mounted into the home of a Hummingbot. ``network_mode``: empty where it is in
    networks.
    """

    name: str
    container: str = ""
    image: str = ""
    profiles: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    command: str = ""
    depends_on: tuple[str, ...] = ()
    published: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()
    replicas: int = 1
    home_mounted: bool = False
    network_mode: str = ""

    def is_a(self, kind: str) -> bool:
        """Tell whether it is a program of that name (``prometheus``): by its own name or its image's."""
        return (
            self.name == kind
            or re.search(rf"(?:^|/){kind}(?:-oss|-enterprise)?(?=[:@]|$)", self.image) is not None
        )


@dataclass(frozen=True, slots=True)
class BotFolder:
    """A bot's folder below ``data/``: the controller of its configuration, the variant that its newest minute.csv names."""

    name: str
    controller: str = ""
    variant: str = ""


@dataclass(frozen=True, slots=True)
class ObservedDesk:
    """A desk's folder, read. ``project_from`` says where the project's name was seen.

    ``networks``: the compose file's name of each network and the name it has for the engine. ``running``: the
    project's containers by service, where an engine was asked. ``rules``: the names of the alert rules found, in
    files or loaded. ``targets_down``: what Prometheus cannot scrape.
    """

    root: Path
    compose_file: Path
    env_file: Path | None
    project: str
    project_from: str
    services: tuple[ComposeService, ...] = ()
    networks: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    """Where the bots' folders are."""
    bots: tuple[BotFolder, ...] = ()
    running: Mapping[str, str] = field(default_factory=dict)
    targets_down: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    alertmanager_file: Path | None = None
    doubts: tuple[str, ...] = ()
    further_files: tuple[Path, ...] = ()
    """What lies over the compose file, in its order: overrides, and what ``-f`` or ``COMPOSE_FILE`` names."""
    project_folder: Path | None = None
    """Where the project's relative paths begin, where that is not the compose file's folder."""
