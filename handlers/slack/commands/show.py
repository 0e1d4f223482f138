"""``show``: one incident's story."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import which_incident
from triage.ports.chat import Answer
from triage.reports.answers.incidents import show


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    return await show(services.answer_context, which_incident("show", call, words))


COMMAND = Command(
    word="show",
    usage="show <id>",
    description="one incident's story",
    run=_run,
    place=4,
)
