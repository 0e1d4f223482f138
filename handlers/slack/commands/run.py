"""``run``: triage a bot without an alert."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.errors import Refused
from triage.ports.chat import Answer
from triage.reports.answers.run import run
from triage.untrusted_text import one_line


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call
    if not words:
        bots = services.answer_context.bots
        raise Refused(f"Which bot? For instance: /triage run {bots[0] if bots else 'bot1'}")
    words = services.answer_context.known_words(words)
    at_most(words, 1, f"/triage run {one_line(words[0], 40)}")
    return await run(services.answer_context, services.answer_context.known_bot(words[0]))


COMMAND = Command(
    word="run",
    usage="run <bot>",
    description="triage a bot now, without an alert",
    run=_run,
    place=2,
)
