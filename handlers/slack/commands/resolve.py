"""``resolve``: close an incident."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import operate
from triage.incidents.operations import resolve
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    return await operate(services, call, "resolve", words, resolve)


COMMAND = Command(
    word="resolve",
    usage="resolve <id>",
    description="close it (it stays quiet while its alerts fire)",
    run=_run,
    role="operator",
    what="resolve incidents",
    place=6,
)
