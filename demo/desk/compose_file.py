"""Reads a compose project: interpolation from the env file, profiles, and what each service should be."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from demo.yaml_text import read_yaml

_VARIABLE = re.compile(r"\$\$|\$\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|\$(?P<plain>\w+)")
_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class ComposeError(Exception):
    """The project cannot be used; the text is what compose would print."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service as the project wants it, after interpolation."""

    name: str
    container_name: str
    image: str
    profiles: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    restart: str = "no"
    memory_limit: int = 0
    healthcheck: bool = False
    tty: bool = False
    command: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()

    @property
    def config_hash(self) -> str:
        """A digest of what makes compose create the container anew."""
        return hashlib.sha256(
            repr((self.image, self.environment, self.memory_limit, self.volumes)).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Project:
    """A compose project: its name and services in file order."""

    name: str
    services: Mapping[str, ServiceSpec]
    raw: Mapping[str, Any] = field(repr=False)

    def active(self, profiles: Iterable[str], named: Iterable[str] = ()) -> tuple[ServiceSpec, ...]:
        """Return the services of no or an active profile, and those that are named. Raises ComposeError."""
        wanted, names = set(profiles), set(named)
        for name in names:
            if name not in self.services:
                raise ComposeError(f"no such service: {name}")
        return tuple(
            spec
            for spec in self.services.values()
            if not spec.profiles or wanted & set(spec.profiles) or "*" in wanted or spec.name in names
        )

    def with_dependencies(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names and everything they depend on, dependencies first."""
        found: dict[str, None] = {}

        def visit(name: str) -> None:
            for below in self.services[name].depends_on:
                visit(below)
            found[name] = None

        for name in names:
            visit(name)
        return tuple(found)


def load(path: Path, env: Mapping[str, str]) -> Project:
    """Read a project. Raises ComposeError with compose's own words."""
    try:
        document = read_yaml(path.read_text())
    except FileNotFoundError as error:
        raise ComposeError(f"open {path}: no such file or directory") from error
    except YAMLError as error:
        raise ComposeError(f"yaml: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise ComposeError("no service selected")
    document = _interpolate(document, env)
    name = env.get("COMPOSE_PROJECT_NAME") or document.get("name") or path.resolve().parent.name
    services = {key: _service(key, value, name) for key, value in document["services"].items()}
    return Project(name, services, document)


def variables(text: str) -> frozenset[str]:
    """Return the names of the variables a compose file's text uses."""
    return frozenset(
        match["braced"] or match["plain"] for match in _VARIABLE.finditer(text) if match.group() != "$$"
    )


def read_env(path: Path) -> dict[str, str]:
    """Read an env file: KEY=VALUE lines, comments, quotes. Raises ComposeError when it is not there."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as error:
        raise ComposeError(f"couldn't find env file: {path}") from error
    values = {}
    for line in lines:
        text = line.strip()
        if text and not text.startswith("#") and "=" in text:
            key, _, value = text.removeprefix("export ").partition("=")
            values[key.strip()] = value.strip().strip("'\"")
    return values


def _service(name: str, raw: Mapping[str, Any], project: str) -> ServiceSpec:
    image = raw.get("image")
    if not image:
        raise ComposeError(
            f'service "{name}" has neither an image nor a build context specified: invalid compose project'
        )
    environment = raw.get("environment") or {}
    if isinstance(environment, list):
        environment = dict(str(item).partition("=")[::2] for item in environment)
    depends = raw.get("depends_on") or []
    return ServiceSpec(
        name=name,
        container_name=raw.get("container_name") or f"{project}-{name}-1",
        image=str(image),
        profiles=tuple(raw.get("profiles") or ()),
        depends_on=tuple(depends),
        restart=str(raw.get("restart", "no")),
        memory_limit=_bytes(str(raw.get("mem_limit", "0"))),
        healthcheck="healthcheck" in raw,
        tty=bool(raw.get("tty")),
        command=str(raw.get("command") or ""),
        environment=tuple(sorted((key, str(value)) for key, value in environment.items())),
        volumes=tuple(str(volume) for volume in raw.get("volumes") or ()),
    )


def _bytes(text: str) -> int:
    unit = text[-1].lower()
    return int(text[:-1]) * _UNITS[unit] if unit in _UNITS else int(text)


def _interpolate(node: object, env: Mapping[str, str]) -> Any:  # noqa: ANN401 - a YAML tree has any shape
    if isinstance(node, dict):
        return {key: _interpolate(value, env) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolate(value, env) for value in node]
    return _VARIABLE.sub(lambda match: _value(match, env), node) if isinstance(node, str) else node


def _value(match: re.Match[str], env: Mapping[str, str]) -> str:
    if match.group() == "$$":
        return "$"
    return env.get(match["braced"] or match["plain"]) or match["default"] or ""
