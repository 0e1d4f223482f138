"""``incidents``: what is open, and what was resolved today."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.ports.chat import Answer
from triage.reports.answers.incidents import incidents


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call
    at_most(words, 0, "/triage incidents, or /triage show INC-1 for one")
    return await incidents(services.answer_context)


COMMAND = Command(
    word="incidents",
    usage="incidents",
    description="what is open, and what was resolved today",
    run=_run,
    place=3,
)
