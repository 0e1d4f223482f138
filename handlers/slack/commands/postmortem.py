"""``postmortem``: write an incident out."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import which_incident
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    return await services.postmortem(call, which_incident("postmortem", call, words))


COMMAND = Command(
    word="postmortem",
    usage="postmortem <id>",
    description="write an incident out, as Markdown and JSON",
    run=_run,
    role="operator",
    what="write postmortems",
)
