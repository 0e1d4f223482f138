"""Commands that only read: everybody may."""

from __future__ import annotations

import re
from dataclasses import replace

from handlers.slack.commands.services import Call, CommandServices
from handlers.slack.commands.words import COMMANDS, incident_id, nearest
from triage.errors import Refused
from triage.ports.chat import Answer, Line, section
from triage.reports.answers import incidents as incident_answers
from triage.reports.answers.lists import checklists
from triage.reports.answers.status import status
from triage.reports.answers.triaged import run
from triage.reports.checklists import CHECKLISTS

WINDOW = re.compile(r"[1-9]\d{0,2}[hd]")
PICTURES = "the pictures are in your direct messages with me (add share: here, for everybody)"
_HELP = {
    "status": "the desk at a glance: each bot's state, net edge, fees, errors, restarts",
    "run": "triage a bot now, without an alert",
    "incidents": "what is open, and what was resolved today",
    "show": "one incident's story",
    "ack": "take an incident",
    "resolve": "close it (it stays quiet while its alerts fire)",
    "silence": "silence its alerts in Alertmanager",
    "kpi": "the paper validation and the trading result, with a verdict",
    "checklist": "the runbook's lists, run by a machine",
    "actions": "what can be done, and what was done lately",
    "do": "plan an action; a form shows every step before anything happens",
    "drill": "fire a marked test alert and follow it hop by hop",
    "postmortem": "write an incident out, as Markdown and JSON",
}


async def help_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Teach every command."""
    del services, call, words
    lines = [Line(_HELP[name], code=f"/triage {usage}") for name, usage in COMMANDS.items() if name in _HELP]
    return Answer(
        "What I can do",
        (section(lines),),
        note="Add share at the end and everybody sees the answer. In an incident's thread the id can be left out.",
    )


async def status_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """The desk, or one bot."""
    del call
    bots = [services.asking.known_bot(words[0])] if words else services.asking.bots
    return await status(services.asking, bots)


async def run_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Triage a bot."""
    del call
    if not words:
        raise Refused(
            f"Which bot? For instance: /triage run {services.asking.bots[0] if services.asking.bots else 'bot1'}"
        )
    return await run(services.asking, services.asking.known_bot(words[0]))


async def incidents_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """List incidents."""
    del call, words
    return await incident_answers.incidents(services.asking)


async def show_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Tell one incident."""
    return await incident_answers.show(services.asking, which_incident("show", call, words))


async def kpi_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Measure a window; the words may come in any order."""
    bot, window = "", "24h"
    for word in words:
        if WINDOW.fullmatch(word.lower()):
            window = word.lower()
        elif word[0].isdigit():
            raise Refused(f"{word[:40]!r} is no window; write for instance 24h, 7d or 30d.")
        else:
            bot = services.asking.known_bot(word)
    answer = await services.kpi(bot, window)
    if call.public or not answer.files:
        return answer
    return replace(answer, note=f"{answer.note} · {PICTURES}")


async def checklist_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Run one checklist, or all."""
    del call
    if not words:
        return await checklists(services.asking, list(CHECKLISTS))
    name = words[0].lower()
    if name not in CHECKLISTS:
        like = nearest(name, CHECKLISTS)
        mend = f"did you mean {like}?" if like else f"there are {', '.join(CHECKLISTS)}."
        raise Refused(f"There is no checklist {name[:40]!r}; {mend}")
    return await checklists(services.asking, [name])


async def actions_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """List what can be done and what was."""
    del call, words
    return await services.actions()


def which_incident(command: str, call: Call, words: tuple[str, ...]) -> int:
    """Return the incident that is meant: the one named, or the thread's. Raises Refused."""
    if not words:
        if call.incident_id is not None:
            return call.incident_id
        raise Refused(f"Which incident? For instance: /triage {command} INC-1")
    found = incident_id(words[0])
    if found is None:
        raise Refused(f"{words[0][:40]!r} is no incident's number; write for instance INC-42 or 42.")
    return found
