"""Reads the services of a compose file: what init needs of each, and what has to be doubted of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from bot.init.observed_desk import ComposeService
from triage.env_text import filled
from triage.outside_numbers import is_whole

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}")
_CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
_HOME_OF_A_BOT = "/home/hummingbot/"


def services_of(
    content: Mapping[str, Any], env: Mapping[str, str], doubts: list[str]
) -> tuple[ComposeService, ...]:
    """Return the services of a compose file. What Compose refuses or desk.yaml cannot name is left out: a doubt."""
    every = content["services"]
    if not every:
        doubts.append("the compose file has no services that can be read")
    odd = [str(name) for name, one in every.items() if not (one and _NAME.fullmatch(str(name)))]
    if odd:
        doubts.append(f"no service that Compose takes and desk.yaml can name, left out: {', '.join(odd)}")
    found = tuple(_service(str(name), one, env) for name, one in every.items() if str(name) not in odd)
    if unnamed := [one for one in found if one.container and not _CONTAINER.fullmatch(one.container)]:
        named = ", ".join(f"{one.container} of {one.name}" for one in unnamed)
        doubts.append(f"container_name that Docker does not take, left out: {named}")
        found = tuple(replace(one, container="") if one in unnamed else one for one in found)
    if elsewhere := [f"{', '.join(one.elsewhere)} of {one.name}" for one in found if one.elsewhere]:
        doubts.append(f"what stands in files of services was not read: {'; '.join(elsewhere)}")
    doubts.extend(
        f"{one.name} is to have {one.replicas} containers (replicas); hbot-triage knows one of a service"
        for one in found
        if one.replicas != 1
    )
    return found


def _service(name: str, data: Mapping[str, Any], env: Mapping[str, str]) -> ComposeService:
    mode = filled(str(data.get("network_mode") or ""), env)
    return ComposeService(
        name=name,
        container=filled(str(data.get("container_name") or ""), env),
        image=filled(str(data.get("image") or ""), env),
        profiles=tuple(each for one in _list(data, "profiles") if (each := filled(str(one), env))),
        networks=() if mode else tuple(map(str, data.get("networks") or ("default",))),
        ports=tuple(_ports([*_list(data, "ports"), *_list(data, "expose")], env)),
        command=_command(data.get("command"), env),
        depends_on=tuple(map(str, data.get("depends_on") or ())),
        published=tuple(_published(_list(data, "ports"), env)),
        environment=_environment(data.get("environment"), env),
        elsewhere=tuple(_elsewhere(data, env)),
        replicas=_replicas(data, env),
        home_mounted=any(_HOME_OF_A_BOT in filled(str(one), env) for one in _list(data, "volumes")),
        network_mode=mode,
    )


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


def _command(command: object, env: Mapping[str, str]) -> str:
    return filled(" ".join(map(str, command)) if isinstance(command, list) else str(command or ""), env)


def _environment(given: object, env: Mapping[str, str]) -> dict[str, str]:
    """Return a service's own environment; a name alone has the value that Compose finds for it."""
    if isinstance(given, dict):
        pairs = ((str(key), None if value is None else str(value)) for key, value in given.items())
    else:
        entries = (str(one).partition("=") for one in (given if isinstance(given, list) else ()))
        pairs = ((key, value if sign else None) for key, sign, value in entries)
    return {key: env.get(key, "") if value is None else filled(value, env) for key, value in pairs}


def _elsewhere(data: Mapping[str, Any], env: Mapping[str, str]) -> Iterable[str]:
    """Yield what a service takes from files: ``env_file``, secrets, configs."""
    files = data.get("env_file") or ()
    for file in files if isinstance(files, list) else [files] if files else ():
        path = file.get("path") if isinstance(file, dict) else file
        yield f"env_file {PurePosixPath(filled(str(path), env)).name}"
    for kind in ("secrets", "configs"):
        for one in _list(data, kind):
            yield f"{kind[:-1]} {one.get('source') if isinstance(one, dict) else one}"


def _replicas(data: Mapping[str, Any], env: Mapping[str, str]) -> int:
    deploy = data.get("deploy")
    given = deploy.get("replicas") if isinstance(deploy, dict) else None
    digits = filled(str(data.get("scale") if given is None else given), env)
    return int(digits) if is_whole(digits) else 1


def _ports(values: Iterable[Any], env: Mapping[str, str]) -> Iterable[int]:
    for value in values:
        target = value.get("target") if isinstance(value, dict) else value
        digits = filled(str(target), env).rpartition(":")[2].partition("/")[0]
        if is_whole(digits):
            yield int(digits)


def _published(values: Iterable[Any], env: Mapping[str, str]) -> Iterable[int]:
    for value in values:
        whole = isinstance(value, dict)
        named = filled(str(value.get("published", "") if whole else value), env)
        digits = (named if whole else named.rpartition(":")[0]).rpartition(":")[2]
        if is_whole(digits):
            yield int(digits)
