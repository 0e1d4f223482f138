"""Reads compose files as Compose puts them together, as far as init needs it: ``include``, ``extends``, variables.

What cannot be read is a doubt, kept and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from triage.env_text import filled, read_env

SIZE = 2_000_000
DEEP = 5
"""Files that include or extend one another."""
_REMOTE = re.compile(r"^(?:[a-z+]+:|\w+@)")
"""An address that Compose fetches: ``oci://…``, ``https://…``, ``git@…``."""


class _Whole(list[Any]):
    """A list that takes the place of the one below it."""


class _Reset:
    """What ``!reset`` leaves: nothing, and of a service not what a file below says of it either."""

    def __bool__(self) -> bool:
        return False


RESET = _Reset()


def read_compose(
    file: Path,
    env: Mapping[str, str],
    doubts: list[str],
    deep: int = 0,
    folder: Path | None = None,
) -> dict[str, Any] | None:
    """Return a compose file with what it includes, its services with what they extend; None where it is none.

    ``folder``: where its relative paths begin, the file's own without one; what is mounted from there is named absolute.
    """
    folder = folder or file.parent
    content = read_yaml(file, doubts)
    if not isinstance(content, dict):
        return None
    services = dict(_mapping(content.get("services")))
    networks = dict(_mapping(content.get("networks")))
    for names, inner, its_env in _included(content, folder, env, doubts):
        paths = [folder / name for name in names]
        here = deep < DEEP and not any(_REMOTE.search(name) for name in names)
        part = read_files(paths, its_env, doubts, inner, deep + 1) if here else None
        if part is None:
            doubts.append(f"{', '.join(names)}, which {file.name} includes, was not read")
            continue
        services = {**part["services"], **services}
        networks = {**part["networks"], **networks}
    whole = {
        name: service
        if isinstance(service, _Reset)
        else _anchored(_extended(file, services, name, env, doubts, deep), folder, env)
        for name, service in services.items()
    }
    return {**content, "services": whole, "networks": networks}


def read_files(
    files: Sequence[Path],
    env: Mapping[str, str],
    doubts: list[str],
    folder: Path | None = None,
    deep: int = 0,
) -> dict[str, Any] | None:
    """Return several files as Compose lays them over one another: what a later one says of a service counts.

    Its profiles, ports and networks come beside the earlier ones'; a service that it resets is gone. ``folder`` is the
    project's, the first file's own without one. None where one of them is no compose file.
    """
    folder = folder or files[0].parent
    whole: dict[str, Any] = {}
    for file in files:
        content = read_compose(file, env, doubts, deep, folder)
        if content is None:
            return None
        services = dict(whole.get("services", {}))
        for name, service in content["services"].items():
            services[name] = (
                service if isinstance(service, _Reset) else _laid_over(_mapping(services.get(name)), service)
            )
        networks = {**whole.get("networks", {}), **content["networks"]}
        whole = {**whole, **content, "services": services, "networks": networks}
    kept = {name: service for name, service in whole["services"].items() if not isinstance(service, _Reset)}
    return {**whole, "services": kept}


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: [*below[key], *above[key]]
        for key in ("profiles", "ports", "expose", "networks", "volumes")
        if isinstance(below.get(key), list)
        and isinstance(above.get(key), list)
        and not isinstance(above[key], _Whole)
    }
    return {**below, **above, **both}


def _included(
    content: Mapping[str, Any], folder: Path, env: Mapping[str, str], doubts: list[str]
) -> Iterator[tuple[list[str], Path, Mapping[str, str]]]:
    """Yield for each entry the files that it lays over one another, the folder that their paths begin at, and variables.

    Those of the entry's env file stand behind the project's own, as Compose takes them.
    """
    for entry in _listed(content.get("include")):
        given = entry if isinstance(entry, dict) else {"path": entry}
        names = [filled(str(path), env) for path in _listed(given.get("path"))]
        if not names:
            continue
        named = given.get("project_directory")
        inner = folder / filled(str(named), env) if named else (folder / names[0]).parent
        files = [folder / filled(str(one), env) for one in _listed(given.get("env_file"))]
        its_own = [inner / ".env"] if not files and (inner / ".env").is_file() else []
        yield names, inner, {**_read_envs([*files, *its_own], doubts), **env}


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_envs(files: Sequence[Path], doubts: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for file in files:
        try:
            values.update(read_env(file.read_text(encoding="utf-8-sig")).values)
        except (OSError, UnicodeDecodeError) as error:
            doubts.append(f"{file.name}, of an include, cannot be read ({type(error).__name__})")
    return values


def _anchored(service: dict[str, Any], folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Return a service whose mounts are named from the root: ``./logs`` is another folder in an included file."""
    volumes = service.get("volumes")
    if not isinstance(volumes, list):
        return service
    return {**service, "volumes": type(volumes)(_mount(each, folder, env) for each in volumes)}


def _mount(volume: object, folder: Path, env: Mapping[str, str]) -> object:
    """Return a mount in the short form where it is one of a folder; anything else as it came."""
    if isinstance(volume, dict):
        source, target = (
            filled(str(volume.get("source") or ""), env),
            filled(str(volume.get("target") or ""), env),
        )
    else:
        source, _, target = filled(str(volume), env).partition(":")
    if source.startswith((".\\", "..\\")):  # as Compose on Windows takes it
        source = source.replace("\\", "/")
    if not target or not source.startswith((".", "/", "~")):
        return volume
    try:
        return f"{(folder / Path(source).expanduser()).resolve()}:{target}"
    except (RuntimeError, ValueError, OSError):  # ``~somebody`` who is not here; what no path can be
        return volume


def _extended(  # noqa: PLR0917 - one recursion through files and services
    file: Path, services: Mapping[str, Any], name: str, env: Mapping[str, str], doubts: list[str], deep: int
) -> dict[str, Any]:
    service = _mapping(services.get(name))
    extends = service.get("extends")
    if not extends or deep > DEEP:
        return dict(service)
    base = str(extends.get("service") or name) if isinstance(extends, dict) else str(extends)
    other = extends.get("file") if isinstance(extends, dict) else None
    if other:
        path = file.parent / filled(str(other), env)
        content = read_yaml(path, doubts)
        above = _mapping(content.get("services")) if isinstance(content, dict) else {}
        found = _extended(path, above, base, env, doubts, deep + 1) if base in above else {}
    else:
        found = (
            _extended(file, services, base, env, doubts, deep + 1)
            if base != name and base in services
            else {}
        )
    if not found:
        doubts.append(f"{name} extends {base}, which was not found")
    if other:
        found = _anchored(found, path.parent, env)
    below, own = found.get("volumes"), service.get("volumes")
    if isinstance(below, list) and isinstance(own, list) and not isinstance(own, _Whole):
        return {**found, **service, "volumes": [*below, *own]}
    return {**found, **service}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def read_yaml(path: Path, doubts: list[str]) -> Any:  # noqa: ANN401 - YAML holds anything
    """Return a YAML file's content; None, and a doubt, where it cannot be read."""
    try:
        if path.stat().st_size > SIZE:
            doubts.append(f"{path.name} is larger than {SIZE:,} bytes and was not read")
            return None
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _ComposeConstructor
        return yaml.load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        doubts.append(f"{path.name} is no YAML that can be read ({type(error).__name__}{line})")
        return None


class _ComposeConstructor(SafeConstructor):
    """Plain data, and Compose's own tags: ``!reset`` takes a value away, ``!override`` puts it in the other's place."""


def _untagged(constructor: _ComposeConstructor, node: Node) -> object:
    if isinstance(node, MappingNode):
        return constructor.construct_mapping(node, deep=True)
    if isinstance(node, SequenceNode):
        return _Whole(constructor.construct_sequence(node, deep=True))
    return constructor.construct_scalar(node)


_ComposeConstructor.add_constructor("!reset", lambda *_: RESET)
_ComposeConstructor.add_constructor("!override", _untagged)
