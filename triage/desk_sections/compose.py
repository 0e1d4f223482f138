"""The parts of desk.yaml about the desk's files and services: ``paths``, ``compose``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from triage.desk_sections.names import NAME_PATTERN, Name
from triage.desk_sections.section import DeskSection

DEFAULT_COMPOSE_FILE = "docker-compose.yml"
"""With it no file is named to compose: it takes its defaults, with an override beside them, or ``COMPOSE_FILE``."""


class Paths(DeskSection):
    """Folders of the desk, relative to desk.yaml or absolute."""

    compose: Path = Path("../compose")
    env: Path | None = Path("../env/.env")
    """None (``env: null``): the desk has none, and compose is called without one."""
    data: Path = Path("../data")
    backups: Path = Path("../backups")
    caches: tuple[str, ...] = (
        "/home/hummingbot/controllers/__pycache__",
        "/home/hummingbot/controllers/market_making/__pycache__",
    )

    @field_validator("caches")
    @classmethod
    def _only_bytecode(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not re.fullmatch(r"/[A-Za-z0-9_./-]+/__pycache__", path) or ".." in path.split("/"):
                raise ValueError(f"{path!r} is not an absolute path that ends in /__pycache__")
        return value

    def under(self, root: Path) -> Self:
        """Return the same paths, the relative ones taken below ``root``."""
        given = {name: getattr(self, name) for name in ("compose", "env", "data", "backups")}
        return self.model_copy(
            update={name: (root / path).resolve() for name, path in given.items() if path is not None}
        )


class ComposeSettings(DeskSection):
    """How Docker Compose is called, and which services belong to what."""

    command: tuple[str, ...] = Field(default=("docker", "compose"), min_length=1)
    file: str = DEFAULT_COMPOSE_FILE
    files: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Several files, in the order of compose's ``-f``, in place of ``file``: the first one's folder is the project's."""
    profiles: tuple[Name, ...] = ("multi", "external")
    external_profile: Name = "external"
    external_services: tuple[Name, ...] = ("signal-service", "risk-service", "coordination-service", "redis")
    """In the order in which they are stopped; Redis last."""
    redis_service: Name = "redis"
    """The Redis whose streams the desk runs on; another one beside it is a service like any other."""
    monitoring_services: tuple[Name, ...] = (
        "prometheus",
        "grafana",
        "node-exporter",
        "cadvisor",
        "bot-metrics-exporter",
        "loki",
        "promtail",
    )
    project: Name = "hbot"
    """What compose calls the project (``-p``); the label ``com.docker.compose.project`` of what runs tells it."""
    healthy_seconds: float = Field(default=120, gt=0, le=3600)
    """How long an action waits for a container to run and its health check to pass."""
    container_template: str = Field(
        default="hbot-{service}", json_schema_extra={"pattern": r"^[^{}]*\{service\}[^{}]*$"}
    )

    @field_validator("container_template")
    @classmethod
    def _has_the_service(cls, value: str) -> str:
        if value.count("{service}") != 1 or not re.fullmatch(NAME_PATTERN, value.replace("{service}", "s")):
            raise ValueError(f"{value!r} names no container; write {{service}} once, as in hbot-{{service}}")
        return value

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> Self:
        if self.files and "file" in self.model_fields_set:
            raise ValueError("files: it names every file; take compose.file away")
        return self

    @property
    def services(self) -> tuple[str, ...]:
        """The services beside the bots; a Redis that no profile starts where desk.yaml names it."""
        redis = (self.redis_service,) if "redis_service" in self.model_fields_set else ()
        return tuple(dict.fromkeys((*self.external_services, *self.monitoring_services, *redis)))

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that compose is called with (``-f``); empty where it finds them by itself."""
        return self.files or (() if self.file == DEFAULT_COMPOSE_FILE else (self.file,))
