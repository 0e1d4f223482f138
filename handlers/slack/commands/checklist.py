"""``checklist``: the runbook's lists: one, or all."""

from __future__ import annotations

from handlers.slack.command import Call, Command, CommandServices
from handlers.slack.command_line import at_most
from triage.errors import Refused
from triage.ports.chat import Answer
from triage.reports.answers.checklist import checklists
from triage.reports.checklists import CHECKLISTS
from triage.wording import nearest


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    del call
    if not words:
        return await checklists(services.answer_context, list(CHECKLISTS))
    name = words[0].lower()
    if name not in CHECKLISTS:
        like = nearest(name, CHECKLISTS)
        mend = f"did you mean {like}?" if like else f"there are {', '.join(CHECKLISTS)}."
        raise Refused(f"There is no checklist {name[:40]!r}; {mend}")
    at_most(words, 1, f"/triage checklist {name}")
    return await checklists(services.answer_context, [name])


COMMAND = Command(
    word="checklist",
    usage="checklist [startup|dashboard|paper|health]",
    description="the runbook's lists, run by a machine",
    run=_run,
    place=9,
)
