"""``help``: lists every command with its usage."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.slack.command import Call, Command, CommandServices
from triage.ports.chat import Answer, Line, section


def help_answer(commands: Iterable[Command]) -> Answer:
    """Return a line for every command, in the order given."""
    lines = [
        Line(command.description, code=f"/triage {command.usage}")
        for command in commands
        if command.word != "help"
    ]
    return Answer(
        "What I can do",
        (section(lines),),
        note="Add share at the end and everybody sees the answer. In an incident's thread the id can be left out.",
    )


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call, words
    return help_answer(services.commands.values())


COMMAND = Command(
    word="help",
    usage="help",
    description="what I can do",
    run=_run,
)
