"""``ack``: take an incident."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import operate
from triage.incidents.operations import acknowledge
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    return await operate(services, call, "ack", words, acknowledge)


COMMAND = Command(
    word="ack",
    usage="ack <id>",
    description="take an incident",
    run=_run,
    role="operator",
    what="acknowledge incidents",
    place=5,
)
