"""``silence``: opens the silence form, which asks for the role."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import which_incident
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    return await services.silence(call, which_incident("silence", call, words))


COMMAND = Command(
    word="silence",
    usage="silence <id>",
    description="silence its alerts in Alertmanager",
    run=_run,
    place=7,
)
