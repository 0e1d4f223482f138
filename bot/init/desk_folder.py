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
from bot.init.file_locations import env_values, find_compose_files, find_env_file
from bot.init.observed_desk import BotFolder, ObservedDesk
from bot.init.rules import below, rules_below
from bot.init.running_desk import LiveDesk, env_file_of_containers, folder_of_containers, running_of
from bot.init.services import services_of
from triage.env_text import PROJECT_KEY, filled
from triage.errors import SettingError

_MOUNT = re.compile(r"(?P<source>[^:]+):/home/hummingbot/(?:conf|logs|data)/?(?::[\w,]+)?")
_DEMANDED = re.compile(r"(?<!\$)\$\{(\w+):?\?")
_CONTROLLER_FILES = 200


def read_desk(
    root: Path, running: Mapping[str, str] | None = None, live: LiveDesk | None = None
) -> ObservedDesk:
    """Read a desk below ``root``. ``running``: containers by service; ``live``: what the engine and Prometheus said."""
    env_file = find_env_file(root)
    files = find_compose_files(root, env_file, live)
    folder = None
    if live is not None:
        folder = folder_of_containers(live.containers, files[0])
        env_file = env_file_of_containers(live.containers, files[0]) or env_file
    seen = read_files_of_desk(files, env_file=env_file, folder=folder)
    doubts = list(seen.doubts)
    found = replace(
        seen,
        root=root,
        running=running or {},
        rules=rules_below(root, files, doubts),
        alertmanager_file=next(
            (path for path in sorted(below(root, "alertmanager*.y*ml")) if _is_own(path)), None
        ),
        doubts=tuple(doubts),
    )
    return _with_live(found, live) if live is not None else found


def _with_live(seen: ObservedDesk, live: LiveDesk) -> ObservedDesk:
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


def read_files_of_desk(
    files: Sequence[Path], *, env_file: Path | None, data: Path | None = None, folder: Path | None = None
) -> ObservedDesk:
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
    project, project_from = _project(content, env, compose_file, folder or compose_file.parent, doubts)
    networks = {
        str(name): str((network or {}).get("name") or f"{project}_{name}")
        for name, network in content["networks"].items()
        if isinstance(network, dict | None)
    }
    services = services_of(content, env, doubts)
    networks.setdefault("default", f"{project}_default")
    doubts.extend(_demanded(files, env))
    data = data or _data(content, compose_file, doubts)
    return ObservedDesk(
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


def _is_own(path: Path) -> bool:
    """Whether a configuration of Alertmanager is the desk's, and not what an earlier init wrote."""
    return "hbot-triage" not in path.name


def _data(content: Mapping[str, Any], compose_file: Path, doubts: list[str]) -> Path:
    """Return the folder of the bots' folders: where their mounts lead, else ``data`` beside the compose file's folder.

    A bot whose folder has another name, or is the desk's own, is a doubt: hbot-triage looks for ``data/<bot>``.
    """
    homes, usual = _homes(content), _usual_data(compose_file)
    own = {name for name, home in homes.items() if compose_file.is_relative_to(home)}
    above = Counter(home.parent for name, home in homes.items() if name not in own)
    del above[Path("/")]  # a folder there is no folder of bots
    mounted = above.most_common(1)[0][0] if above else None
    data = mounted if mounted is not None and (mounted.is_dir() or not usual.is_dir()) else usual
    doubts.extend(
        f"{name} has its files in {home}, and not in {data / name}: its files are not looked at until they lie there, "
        "or the bot has that folder's name (name: …, service: …)"
        for name, home in homes.items()
        if home != data / name
    )
    return data


def _homes(content: Mapping[str, Any]) -> dict[str, Path]:
    """Return, by service, the folder that a bot's ``conf``, ``logs`` or ``data`` is mounted from."""
    found: dict[str, Path] = {}
    for name, service in content["services"].items():
        volumes = service.get("volumes") if isinstance(service, dict) else None
        for volume in volumes if isinstance(volumes, list) else ():
            mount = _MOUNT.fullmatch(volume) if isinstance(volume, str) else None
            if mount is not None and mount["source"].startswith("/"):
                found.setdefault(str(name), Path(mount["source"]).parent)
    return found


def _usual_data(compose_file: Path) -> Path:
    """Return ``data`` beside the compose file's folder, or in it: the one that is there, else by the folder's name."""
    folder = compose_file.parent
    beside, inside = folder.parent / "data", folder / "data"
    usual = beside if folder.name in {"compose", "deploy", "docker"} else inside
    return next((place for place in (beside, inside) if place.is_dir()), usual)


def _demanded(files: Sequence[Path], env: Mapping[str, str]) -> Iterable[str]:
    """Yield a doubt for each file with variables that it demands (``${NAME:?why}``) and the env file has not."""
    for file in files:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        names = [name for line in lines if line.lstrip()[:1] != "#" for name in _DEMANDED.findall(line)]
        if missing := dict.fromkeys(name for name in names if not env.get(name)):
            yield f"{file.name} demands {', '.join(missing)}, which the env file does not give"


def _project(
    data: Mapping[str, Any],
    env: Mapping[str, str],
    compose_file: Path,
    place: Path,
    doubts: list[str],
) -> tuple[str, str]:
    """Return the project's name as Compose finds it, and where it stands."""
    if env.get(PROJECT_KEY):
        name, source = env[PROJECT_KEY], f"{PROJECT_KEY} in the env file"
    elif data.get("name"):
        name, source = filled(str(data["name"]), env), f"name: in {compose_file.name}"
    else:
        name, source = place.name, f"the folder of {compose_file.name}"
    taken = re.sub(r"[^a-z0-9_-]", "", name.lower()).lstrip("_-")
    if name not in {taken, place.name}:
        doubts.append(f"{source} is {name}, which Compose takes for no project's name; {taken} is written")
    return taken or "desk", source


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
        for path in sorted(folder.glob("conf/controllers/*.y*ml"))[:_CONTROLLER_FILES]
        if isinstance(content := read_yaml(path, []), dict)
    }
    return names.pop() if len(names) == 1 else ""
