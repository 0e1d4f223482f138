"""``actions``: what can be done, and what was done lately."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call, words
    return await services.actions()


COMMAND = Command(
    word="actions",
    usage="actions",
    description="what can be done, and what was done lately",
    run=_run,
    place=10,
)
