"""Reads a desk's folder: compose file, env file, bots' folders, alert rules. Nothing is changed, nobody is asked.

What cannot be read is a doubt, kept and said; it never stops the look. Raises SettingError where there is no compose file.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.init.compose_text import read_files, read_yaml
from bot.init.live import LiveDesk, folder_of_containers, running_of
from bot.init.places import env_values, find_compose_files, find_env_file
from bot.init.seen import BotFolder, ComposeService, SeenDesk
from triage.env_text import PROJECT_KEY, filled
from triage.errors import SettingError

_MOUNT = re.compile(r"(?P<source>[^:]+):/home/hummingbot/(?:conf|logs|data)/?(?::[\w,]+)?")
_RULE_FILES = 200


def look(root: Path, running: Mapping[str, str] | None = None, live: LiveDesk | None = None) -> SeenDesk:
    """Read a desk below ``root``. ``running``: containers by service; ``live``: what the engine and Prometheus said."""
    env_file = find_env_file(root)
    files = find_compose_files(root, env_file, live)
    folder = folder_of_containers(live.containers, files[0]) if live is not None else None
    seen = look_at(files, env_file=env_file, folder=folder)
    doubts = list(seen.doubts)
    found = replace(
        seen,
        root=root,
        running=running or {},
        rules=_rules(root, files, doubts),
        alertmanager_file=next(iter(sorted(_below(root, "alertmanager*.y*ml"))), None),
        doubts=tuple(doubts),
    )
    return _with_live(found, live) if live is not None else found


def _with_live(seen: SeenDesk, live: LiveDesk) -> SeenDesk:
    """Return what was seen with what runs: names of containers, the project, rules that are loaded."""
    runs = running_of(live.containers, seen)
    doubts = [*seen.doubts, *live.doubts, *runs.doubts]
    known = {service.name for service in seen.services}
    strange = [bot for bot in live.bots if bot not in known]
    if strange:
        doubts.append(
            f"Prometheus has series of {', '.join(strange)}, which is no service of the compose file"
        )
    project = (
        (runs.project, "the label of the containers that run")
        if runs.project
        else (seen.project, seen.project_from)
    )
    return replace(
        seen,
        project=project[0],
        project_from=project[1],
        running=runs.containers or seen.running,
        rules=tuple(dict.fromkeys((*seen.rules, *live.rules))),
        targets_down=tuple(
            f"{target.instance} (job {target.job})" for target in live.targets if target.health == "down"
        ),
        doubts=tuple(doubts),
    )


def look_at(
    files: Sequence[Path], *, env_file: Path | None, data: Path | None = None, folder: Path | None = None
) -> SeenDesk:
    """Read a desk whose compose files and env file are known. Raises SettingError.

    ``data``: the folder of the bots' folders, where it is known; else the one that the bots' mounts lead to, or ``data``.
    ``folder``: the project's, where it is not the first file's (``--project-directory``).
    """
    doubts: list[str] = []
    env = env_values(env_file, doubts)
    compose_file = files[0]
    content = read_files(files, env, doubts, folder)
    if content is None:
        raise SettingError(f"{compose_file}: cannot be read as a compose file: {'; '.join(doubts)}")
    project, project_from = _project(content, env, compose_file, folder or compose_file.parent)
    networks = {
        name: str((network or {}).get("name") or f"{project}_{name}")
        for name, network in (content.get("networks") or {}).items()
        if isinstance(network, dict | None)
    }
    data = data or _mounted_data(content) or _usual_data(compose_file)
    services = tuple(
        _service(name, service, env) for name, service in (content.get("services") or {}).items() if service
    )
    return SeenDesk(
        root=compose_file.parent,
        compose_file=compose_file,
        env_file=env_file,
        project=project,
        project_from=project_from,
        services=services,
        networks={name: filled(value, env) for name, value in networks.items()},
        env=env,
        data=data,
        bots=_bot_folders(data, doubts),
        doubts=tuple(doubts),
        further_files=tuple(files[1:]),
        project_folder=folder,
    )


def _mounted_data(content: Mapping[str, Any]) -> Path | None:
    """Return the folder that most bots' own folders lie in, by what is mounted as a bot's ``conf`` or ``logs``."""
    found: Counter[Path] = Counter()
    for service in (content.get("services") or {}).values():
        volumes = (service or {}).get("volumes")
        for volume in volumes if isinstance(volumes, list) else ():
            mount = _MOUNT.fullmatch(volume) if isinstance(volume, str) else None
            if mount is not None and mount["source"].startswith("/"):
                found[Path(mount["source"]).parent.parent] += 1
    return found.most_common(1)[0][0] if found else None


def _usual_data(compose_file: Path) -> Path:
    """Return ``data`` beside the compose file's folder, or in it."""
    places = (compose_file.parent.parent / "data", compose_file.parent / "data")
    return next((place for place in places if place.is_dir()), places[0])


def _project(
    data: Mapping[str, Any], env: Mapping[str, str], compose_file: Path, place: Path
) -> tuple[str, str]:
    """Return the project's name as Compose finds it, and where it stands."""
    if env.get(PROJECT_KEY):
        return env[PROJECT_KEY], f"{PROJECT_KEY} in the env file"
    if data.get("name"):
        return filled(str(data["name"]), env), f"name: in {compose_file.name}"
    folder = re.sub(r"[^a-z0-9_-]", "", place.name.lower()).lstrip("_-")
    return folder, f"the folder of {compose_file.name}"


def _service(name: str, data: Mapping[str, Any], env: Mapping[str, str]) -> ComposeService:
    depends = data.get("depends_on") or ()
    networks = data.get("networks") or ()
    command = data.get("command") or ""
    return ComposeService(
        name=str(name),
        container=filled(str(data.get("container_name") or ""), env),
        image=filled(str(data.get("image") or ""), env),
        profiles=tuple(each for one in data.get("profiles") or () if (each := filled(str(one), env))),
        networks=tuple(map(str, networks)),
        ports=tuple(_ports([*(data.get("ports") or ()), *(data.get("expose") or ())], env)),
        command=filled(" ".join(map(str, command)) if isinstance(command, list) else str(command), env),
        depends_on=tuple(map(str, depends)),
        published=tuple(_published(data.get("ports") or (), env)),
    )


def _ports(values: Iterable[Any], env: Mapping[str, str]) -> Iterable[int]:
    for value in values:
        target = value.get("target") if isinstance(value, dict) else value
        digits = filled(str(target), env).rpartition(":")[2].partition("/")[0]
        if digits.isdigit():
            yield int(digits)


def _published(values: Iterable[Any], env: Mapping[str, str]) -> Iterable[int]:
    for value in values:
        whole = isinstance(value, dict)
        named = filled(str(value.get("published", "") if whole else value), env)
        digits = (named if whole else named.rpartition(":")[0]).rpartition(":")[2]
        if digits.isdigit():
            yield int(digits)


def _bot_folders(data: Path, doubts: list[str]) -> tuple[BotFolder, ...]:
    """Return the folders below ``data/`` that hold a bot's logs, with what its newest minute.csv tells."""
    try:
        folders = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        doubts.append("there is no data/ folder that can be read")
        return ()
    found = []
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            doubts.append(
                f"{folder} cannot be looked into by this user: its controller and variant are not known"
            )
            found.append(BotFolder(folder.name))
            continue
        controller = _controller(folder)
        minutes = sorted(folder.glob("logs/*/*_*/minute*.csv"), key=lambda path: path.stat().st_mtime)
        if minutes:
            place = minutes[-1].parent
            found.append(BotFolder(folder.name, controller, place.name.rpartition("_")[2]))
        elif (folder / "conf").is_dir() or (folder / "logs").is_dir():
            found.append(BotFolder(folder.name, controller))
    return tuple(found)


def _controller(folder: Path) -> str:
    """Return the controller that all configurations of a bot's controllers name; empty where they differ, or are none."""
    names = {
        str(content.get("controller_name") or "")
        for path in sorted(folder.glob("conf/controllers/*.y*ml"))[:_RULE_FILES]
        if isinstance(content := read_yaml(path, []), dict)
    }
    return names.pop() if len(names) == 1 else ""


def _rules(root: Path, files: Sequence[Path], doubts: list[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for path in sorted(_below(root, "*.y*ml"))[:_RULE_FILES]:
        if path in files or "rule" not in f"{path.parent.name}/{path.name}":
            continue
        content = read_yaml(path, doubts)
        groups = content.get("groups") if isinstance(content, dict) else None
        for group in groups or ():
            rules = group.get("rules") if isinstance(group, dict) else None
            names.update({str(rule["alert"]): None for rule in rules or () if "alert" in rule})
    return tuple(names)


def _below(root: Path, pattern: str) -> Iterable[Path]:
    """Yield files below the root that may be configuration: not the bots' data, backups or what is hidden."""
    for path in root.glob(f"*/**/{pattern}"):
        parts = path.relative_to(root).parts
        if parts[0] not in {"data", "backups"} and not any(part.startswith(".") for part in parts):
            yield path
