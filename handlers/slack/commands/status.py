"""``status``: the desk, or one bot."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.ports.chat import Answer
from triage.reports.answers.status import status


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call
    words = services.answer_context.known_words(words)
    at_most(words, 1, "/triage status bot1, or /triage status for all")
    bots = [services.answer_context.known_bot(words[0])] if words else services.answer_context.bots
    return await status(services.answer_context, bots)


COMMAND = Command(
    word="status",
    usage="status [bot]",
    description="the desk at a glance: each bot's state, net edge, fees, errors, restarts",
    run=_run,
    place=1,
)
