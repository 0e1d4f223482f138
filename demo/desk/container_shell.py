"""The few programs that can be run inside a simulated container, over the files mounted into it."""

import fnmatch
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from demo.desk import container_find
from demo.desk.container import Container

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

NOT_FOUND = 127
FORMATS_OF_LS = "--time-style="


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program gave."""

    exit_code: int
    out: str = ""
    err: str = ""


Place = Callable[[str], Path | None]
"""Maps a path in the container to the file behind it; None where nothing is mounted."""


def run(world: "WorldState", container: Container, command: Sequence[str]) -> Ran:
    """Run a command in a running container; an unknown program is 127, as the engine says it."""
    program, *arguments = command
    name = program.rpartition("/")[2]
    if name in {"sh", "bash"} and len(arguments) == 2 and arguments[0] in {"-c", "-lc"}:  # noqa: PLR2004 - sh -c TEXT
        return _script(world, container, arguments[1])
    if name == "redis-cli" and container.spec.name == "redis":
        return _redis_cli(world, arguments)

    def place(path: str) -> Path | None:
        return world.layout.container_path(container.spec.name, path)

    programs: dict[str, Callable[[Place, Sequence[str]], Ran]] = {
        "rm": _rm,
        "ls": _ls,
        "cat": _cat,
        "stat": _stat,
        "find": _find,
        "test": _test,
        "true": lambda *_: Ran(0),
        "echo": lambda _, words: Ran(0, " ".join(words) + "\n"),
        "env": lambda *_: Ran(0, "".join(f"{key}={value}\n" for key, value in container.spec.environment)),
        "date": lambda *_: Ran(
            0, f"{datetime.fromtimestamp(world.clock.now(), UTC):%a %b %e %H:%M:%S UTC %Y}\n"
        ),
    }
    if name not in programs:
        text = f'exec: "{program}": executable file not found in $PATH: unknown'
        return Ran(
            NOT_FOUND, f"OCI runtime exec failed: exec failed: unable to start container process: {text}\n"
        )
    return programs[name](place, arguments)


def _script(world: "WorldState", container: Container, text: str) -> Ran:
    """Run ``a && b ; c``: enough of a shell for a check."""
    out, last = "", Ran(0)
    for line in text.split(";"):
        for part in line.split("&&"):
            words = part.split()
            last = run(world, container, words) if words else Ran(0)
            out += last.out + last.err
            if last.exit_code:
                break
    return Ran(last.exit_code, out)


def _redis_cli(world: "WorldState", arguments: Sequence[str]) -> Ran:
    if not world.redis.serving:
        return Ran(1, err="Could not connect to Redis at 127.0.0.1:6379: Connection refused\n")
    return Ran(0, "PONG\n" if [word.lower() for word in arguments] == ["ping"] else "OK\n")


def _rm(place: Place, arguments: Sequence[str]) -> Ran:
    options = "".join(word for word in arguments if word.startswith("-"))
    errors = []
    for path in (word for word in arguments if not word.startswith("-")):
        target = place(path)
        if target is None or not target.exists():
            if "f" not in options:
                errors.append(f"rm: cannot remove '{path}': No such file or directory\n")
        elif target.is_dir():
            if "r" in options.lower():
                shutil.rmtree(target)
            else:
                errors.append(f"rm: cannot remove '{path}': Is a directory\n")
        else:
            target.unlink()
    return Ran(int(bool(errors)), err="".join(errors))


def _cat(place: Place, arguments: Sequence[str]) -> Ran:
    out, errors = "", []
    for path in arguments:
        target = place(path)
        if target is None or not target.is_file():
            errors.append(f"cat: {path}: No such file or directory\n")
        else:
            out += target.read_text(errors="replace")
    return Ran(int(bool(errors)), out, "".join(errors))


def _test(place: Place, arguments: Sequence[str]) -> Ran:
    kind, path = arguments if len(arguments) == 2 else ("-e", "")  # noqa: PLR2004 - test -d PATH
    target = place(path)
    if target is None:
        return Ran(1)
    found = {"-d": target.is_dir, "-f": target.is_file}.get(kind, target.exists)()
    return Ran(int(not found))


def _stat(place: Place, arguments: Sequence[str]) -> Ran:
    template, paths, ended = "%n", [], "\n"
    words = iter(arguments)
    for word in words:
        if word in {"-c", "--format"}:
            template = next(words, "%n")
        elif word.startswith(("--format=", "--printf=")):
            ended = "\n" if word.startswith("--format=") else ""
            template = container_find.unescaped(word.partition("=")[2])
        elif not word.startswith("-"):
            paths.append(word)
    out, errors = "", []
    for path in paths:
        target = place(path)
        if target is None or not target.exists():
            errors.append(f"stat: cannot statx '{path}': No such file or directory\n")
        else:
            out += container_find.stat_format(template, path, target) + ended
    return Ran(int(bool(errors)), out, "".join(errors))


def _ls(place: Place, arguments: Sequence[str]) -> Ran:
    options = "".join(word[1:] for word in arguments if word.startswith("-") and not word.startswith("--"))
    style = next((word.partition("=")[2] for word in arguments if word.startswith(FORMATS_OF_LS)), "long-iso")
    out, errors = "", []
    for path in [word for word in arguments if not word.startswith("-")] or ["/home/hummingbot/conf"]:
        target = place(path)
        if target is None or not target.exists():
            errors.append(f"ls: cannot access '{path}': No such file or directory\n")
            continue
        for entry in sorted(target.iterdir()) if target.is_dir() else [target]:
            shown = entry.name if target.is_dir() else path
            if not entry.name.startswith(".") or fnmatch.fnmatch(options, "*[aA]*"):
                out += (container_find.long_line(shown, entry, style) if "l" in options else shown) + "\n"
    return Ran(2 if errors else 0, out, "".join(errors))


def _find(place: Place, arguments: Sequence[str]) -> Ran:
    out, errors = container_find.find(place, arguments)
    return Ran(int(bool(errors)), out, errors)
