"""``drill``: fire the controlled test alert."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    at_most(words, 0, "/triage drill")
    return await services.drill(call)


COMMAND = Command(
    word="drill",
    usage="drill",
    description="fire a marked test alert and follow it hop by hop",
    run=_run,
    role="operator",
    what="fire a drill",
)
