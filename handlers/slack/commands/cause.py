"""``cause``: opens the form that asks what an incident's cause was."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import which_incident
from triage.incidents.cause_answers import WHAT
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    return await services.cause(call, which_incident("cause", call, words))


COMMAND = Command(
    word="cause",
    usage="cause <id>",
    description="say whether the verdict was right, or what it was",
    run=_run,
    role="operator",
    what=WHAT,
    place=8,
)
