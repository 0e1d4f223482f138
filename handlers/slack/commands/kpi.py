"""``kpi``: measure a window; the words may come in any order."""

from __future__ import annotations

from dataclasses import replace

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from handlers.slack.time_span import take_span
from triage.errors import Refused
from triage.ports.chat import Answer
from triage.untrusted_text import one_line

_TIMES = frozenset({"since", "until", "from", "to", "between", "today", "yesterday", "now", "ago"})
"""Words of a window that ends or begins at a time of its own, which is not measured here."""
PICTURES = "the pictures are in your direct messages with me (add share: here, for everybody)"


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    span, rest = take_span(words)
    rest = services.answer_context.known_words(rest)
    unknown = [word for word in rest if word not in services.answer_context.bots]
    if any(word.lstrip("-+")[:1].isdigit() or word.lower() in _TIMES for word in unknown):
        said = one_line(" ".join(unknown), 40)
        raise Refused(f"{said!r} is no window, which ends now; write for instance 24h, 7d or 30d.")
    at_most(rest, 1, f"/triage kpi {one_line(rest[0], 40) if rest else ''}")
    bot = services.answer_context.known_bot(rest[0]) if rest else ""
    answer = await services.kpi(bot, str(span or "24h"))
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
