"""``do``: opens an action's confirm form; the action's own policy says who may."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import nearest
from triage.action_kinds import KINDS
from triage.errors import Refused
from triage.ports.chat import Answer


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    if not words:
        raise Refused("Do what? For instance: /triage do restart bot1. /triage actions lists all.")
    kind = words[0].lower()
    if kind not in KINDS:
        like = nearest(kind, KINDS)
        mend = f"did you mean {like}?" if like else "/triage actions lists all."
        raise Refused(f"There is no action {kind[:40]!r}; {mend}")
    return await services.do(call, kind, words[1] if len(words) > 1 else "desk")


COMMAND = Command(
    word="do",
    usage="do <action> <target>",
    description="plan an action; a form shows every step before anything happens",
    run=_run,
    place=11,
)
