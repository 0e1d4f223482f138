"""``kpi``: measure a window; the words may come in any order."""

from __future__ import annotations

import re
from dataclasses import replace

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.errors import Refused
from triage.ports.chat import Answer

WINDOW = re.compile(r"[1-9]\d{0,2}[hd]")
_SPACED = re.compile(r"\b(\d{1,3}) ([hdHD])\b")
PICTURES = "the pictures are in your direct messages with me (add share: here, for everybody)"


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    bot, window = "", "24h"
    for word in _SPACED.sub(r"\1\2", " ".join(words)).split():
        if WINDOW.fullmatch(word.lower()):
            window = word.lower()
        elif word[0].isdigit():
            raise Refused(f"{word[:40]!r} is no window; write for instance 24h, 7d or 30d.")
        else:
            at_most(tuple(filter(None, (bot, word))), 1, f"/triage kpi {bot}")
            bot = services.answer_context.known_bot(word)
    answer = await services.kpi(bot, window)
    if call.public or not answer.files:
        return answer
    return replace(answer, note=f"{answer.note} · {PICTURES}")


COMMAND = Command(
    word="kpi",
    usage="kpi [bot] [24h|7d|30d]",
    description="the paper validation and the trading result, with a verdict",
    run=_run,
    place=8,
)
