"""Reads a compose command line: the subset the desk's operators and this project use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

GLOBAL_VALUES = {"--env-file", "-f", "--file", "--profile", "-p", "--project-name", "--project-directory"}
GLOBAL_IGNORED = {"--ansi", "--progress", "--parallel"}
VALUES = {
    "up": {"-t", "--timeout", "--scale", "--pull", "--wait-timeout"},
    "stop": {"-t", "--timeout"},
    "restart": {"-t", "--timeout"},
    "down": {"-t", "--timeout", "--rmi"},
    "kill": {"-s", "--signal"},
    "logs": {"--tail", "-n", "--since", "--until"},
    "ps": {"--format", "--filter", "--status"},
    "config": {"--format", "-o", "--output", "--hash"},
}
FLAGS = {
    "up": {
        "-d",
        "--detach",
        "--force-recreate",
        "--no-recreate",
        "--no-deps",
        "--remove-orphans",
        "--wait",
        "--quiet-pull",
        "--no-color",
    },
    "stop": set[str](),
    "start": set[str](),
    "restart": {"--no-deps"},
    "down": {"--remove-orphans", "-v", "--volumes"},
    "ps": {"-a", "--all", "-q", "--quiet", "--services", "--no-trunc"},
    "config": {"--services", "--images", "--profiles", "-q", "--quiet", "--no-interpolate"},
    "rm": {"-s", "--stop", "-f", "--force", "-v"},
    "logs": {"-f", "--follow", "--no-color", "--no-log-prefix", "-t", "--timestamps"},
    "pull": {"-q", "--quiet", "--ignore-pull-failures"},
    "kill": {"--remove-orphans"},
    "version": {"--short"},
}
LONG = {"-a": "--all", "-q": "--quiet", "--stop": "-s", "-d": "--detach"}


class UsageError(Exception):
    """The command line cannot be understood; the text is what compose prints."""


@dataclass(slots=True)
class Line:
    """A command line in its parts."""

    command: str = ""
    services: list[str] = field(default_factory=list)
    options: set[str] = field(default_factory=set)
    env_files: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    project: str | None = None
    directory: str | None = None
    tail: int = 0
    hashed: str = ""


def read(words: Sequence[str]) -> Line:
    """Read a command line. Raises UsageError."""
    line, rest = Line(), list(words)
    while rest and not line.command:
        word = rest.pop(0)
        name, _, value = word.partition("=")
        if name in GLOBAL_VALUES | GLOBAL_IGNORED:
            _global(line, name, value or _next(rest, name))
        elif word.startswith("-"):
            raise UsageError(f"unknown flag: {word}")
        else:
            line.command = word
    if line.command not in FLAGS:
        raise UsageError(f'unknown docker command: "compose {line.command}"')
    while rest:
        _word(line, rest.pop(0), rest)
    return line


def _global(line: Line, name: str, value: str) -> None:
    match name:
        case "--env-file":
            line.env_files.append(value)
        case "-f" | "--file":
            line.files.append(value)
        case "--profile":
            line.profiles.append(value)
        case "-p" | "--project-name":
            line.project = value
        case "--project-directory":
            line.directory = value
        case _:
            pass  # how it looks on a terminal does not matter here


def _word(line: Line, word: str, rest: list[str]) -> None:
    name, _, value = word.partition("=")
    if name in VALUES.get(line.command, ()):
        value = value or _next(rest, name)
        if name == "--format":
            line.options.add(value)
        elif name == "--hash":
            line.options.add(name)
            line.hashed = value
        elif name in {"--tail", "-n"}:
            line.tail = int(value) if value.isdigit() else 0
    elif not word.startswith("-"):
        line.services.append(word)
    elif word in FLAGS[line.command]:
        line.options.add(LONG.get(word, word))
    elif not word.startswith("--") and all(f"-{letter}" in FLAGS[line.command] for letter in word[1:]):
        line.options |= {LONG.get(f"-{letter}", f"-{letter}") for letter in word[1:]}
    else:
        _unknown(word)


def _unknown(word: str) -> NoReturn:
    kind = "flag" if word.startswith("--") else "shorthand flag"
    raise UsageError(f"unknown {kind}: {word}")


def _next(rest: list[str], name: str) -> str:
    if not rest:
        raise UsageError(f"flag needs an argument: {name}")
    return rest.pop(0)
