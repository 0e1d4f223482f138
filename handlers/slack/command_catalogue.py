"""The commands of ``/triage`` by their word. A new one is one file in ``handlers/slack/commands/``, named nowhere else."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from handlers.slack import commands
from handlers.slack.command import Command


def _load(word: str) -> Command:
    """Import a command. Raises TypeError where a file is none, or is named otherwise than its word."""
    command = getattr(import_module(f"{commands.__name__}.{word}"), "COMMAND", None)
    if not isinstance(command, Command) or command.word != word:
        raise TypeError(
            f"handlers/slack/commands/{word}.py: COMMAND must be a Command whose word is {word!r}"
        )
    return command


def _all() -> dict[str, Command]:
    found = [_load(module.name) for module in pkgutil.iter_modules(commands.__path__)]
    return {command.word: command for command in sorted(found, key=lambda each: (each.place, each.word))}


COMMANDS: Mapping[str, Command] = MappingProxyType(_all())
"""Every command by its word, in the order of the help."""
