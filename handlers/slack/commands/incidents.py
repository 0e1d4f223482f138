"""``incidents``: what is open, and what was resolved today."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from triage.ports.chat import Answer
from triage.reports.answers.incidents import incidents


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call, words
    return await incidents(services.answer_context)


COMMAND = Command(
    word="incidents",
    usage="incidents",
    description="what is open, and what was resolved today",
    run=_run,
    place=3,
)
