"""``python -m demo.desk.compose``: the compose command of the simulated desk.

It reads the real compose and env files from the folder it is called in, as compose does, and drives the desk
whose control socket the variable ``HBOT_DESK_SOCKET`` names.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from demo.desk import compose_file
from demo.desk.compose_arguments import Line, UsageError, read
from demo.desk.compose_file import ComposeError

SOCKET_VARIABLE = "HBOT_DESK_SOCKET"
DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
FAILED, FILE_NOT_FOUND, NOT_PARSED, WRONG_USAGE = 1, 14, 15, 16
ANSWERS_WITHIN = 60.0
VERSION = "2.29.7"


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        line = read(arguments)
        if line.command == "version":
            _say(VERSION if "--short" in line.options else f"Docker Compose version v{VERSION}")
            return 0
        folder = Path(line.directory or ".").resolve()
        file = _file(line, folder)
        env_files = [Path(one).resolve() for one in line.env_files] or [
            one for one in (folder / ".env",) if one.exists()
        ]
        if line.command == "config":
            return _config(line, file, env_files)
        return _drive(line, file, env_files)
    except UsageError as error:
        _complain(str(error))
        return WRONG_USAGE
    except ComposeError as error:
        _complain(str(error))
        return NOT_PARSED if str(error).startswith("yaml:") else FILE_NOT_FOUND


def _file(line: Line, folder: Path) -> Path:
    if line.files:
        return Path(line.files[0]).resolve()
    for name in DEFAULT_FILES:
        if (folder / name).exists():
            return folder / name
    raise ComposeError("no configuration file provided: not found")


def _config(line: Line, file: Path, env_files: Sequence[Path]) -> int:
    env: dict[str, str] = {}
    for path in env_files:
        env |= compose_file.read_env(path)
    named = {"COMPOSE_PROJECT_NAME": line.project} if line.project else {}
    project = compose_file.load(file, env | os.environ | named)
    active = project.active(line.profiles, line.services)
    if "--services" in line.options:
        _say("\n".join(spec.name for spec in active))
    elif "--hash" in line.options:
        wanted = [one for one in active if line.hashed == "*" or one.name in line.hashed.split(",")]
        _say("\n".join(f"{one.name} {one.config_hash}" for one in wanted))
    elif "--images" in line.options:
        _say("\n".join(dict.fromkeys(spec.image for spec in active)))
    elif "--profiles" in line.options:
        _say("\n".join(sorted({name for spec in project.services.values() for name in spec.profiles})))
    elif "--quiet" not in line.options:
        names = {spec.name for spec in active}
        services = {name: raw for name, raw in project.raw["services"].items() if name in names}
        _say(json.dumps({**project.raw, "name": project.name, "services": services}, indent=2))
    return 0


def _drive(line: Line, file: Path, env_files: Sequence[Path]) -> int:
    address = os.environ.get(SOCKET_VARIABLE, "")
    order: dict[str, object] = {
        "file": str(file),
        "env_files": [str(path) for path in env_files],
        "environment": {key: value for key, value in os.environ.items() if key in _interpolated(file)},
        "project": line.project,
        "command": line.command,
        "services": line.services,
        "profiles": line.profiles,
        "options": sorted(line.options),
        "tail": line.tail,
    }
    try:
        for answer in _ask(address, order):
            if "exit" in answer:
                return int(str(answer["exit"]))
            if "out" in answer:
                _say(str(answer["out"]))
            else:
                _complain(str(answer["err"]))
    except OSError as error:
        where = address or f"${SOCKET_VARIABLE} (not set)"
        _complain(f"Cannot connect to the Docker daemon at {where}. Is the docker daemon running? ({error})")
        return FAILED
    _complain("the desk closed the connection before the command ended: what it did is not known")
    return FAILED


def _interpolated(file: Path) -> frozenset[str]:
    """Return the variables a compose file uses: only those of the caller's environment are passed on."""
    if not file.exists():
        raise ComposeError(f"open {file}: no such file or directory")
    return compose_file.variables(file.read_text())


def _ask(address: str, order: dict[str, object]) -> Iterator[dict[str, object]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWERS_WITHIN)
        connection.connect(address.removeprefix("unix://"))
        connection.sendall(json.dumps(order).encode() + b"\n")
        with connection.makefile("rb") as answers:
            for raw in answers:
                yield json.loads(raw)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
