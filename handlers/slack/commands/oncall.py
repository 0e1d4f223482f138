"""``oncall``: who is on call now, and an override for a while."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from handlers.slack.command import Call, Command, CommandServices, require
from handlers.slack.command_line import at_most
from handlers.slack.time_span import take_span
from triage.errors import Refused
from triage.memory.people import name_of, remember
from triage.paging.oncall import Override, clear_override, on_call, override_of, set_override, turn
from triage.ports.chat import Answer, saying
from triage.ports.store import Tx

_PERSON = re.compile(r"<@([UW][A-Z0-9]{6,})(?:\|[^>]*)?>|([UW][A-Z0-9]{6,})")
_HOURS = re.compile(r"[1-9]\d{0,2}")
_UNTIL = "%a %d %b %H:%M UTC"
DEFAULT_HOURS, MOST_HOURS = 12, 14 * 24
_USAGE = "write /triage oncall @name [hours], /triage oncall clear, or /triage oncall to see who it is"


async def _run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    if not words:
        return await services.answer_context.store.read(lambda tx: _shown(services, tx))
    await require(services, call, "operator", "change who is on call")
    now = services.answer_context.clock.now()
    if words[0].lower() == "clear":
        at_most(words, 1, "/triage oncall clear")
        ended = await services.answer_context.store.write(
            lambda tx: clear_override(tx, by=call.user, now=now)
        )
        return saying("The override is over." if ended else "There was no override.")
    override = Override(*_read(words, now), call.user)

    def put(tx: Tx) -> Answer:
        remember(tx, call.user, call.user_name)
        before = override_of(tx, now)
        set_override(tx, override, now)
        said = f"{name_of(tx, override.person)} is on call until {override.until:{_UNTIL}}"
        if before is None:
            return saying(f"{said}.")
        return saying(
            f"{said}, in place of {name_of(tx, before.person)}, who was until {before.until:{_UNTIL}}."
        )

    return await services.answer_context.store.write(put)


def _read(words: tuple[str, ...], now: datetime) -> tuple[str, datetime]:
    """Return who is meant and until when: ``@ana``, ``@ana 8``, ``@ana for 2 days``. Raises Refused."""
    person = _PERSON.fullmatch(words[0])
    name = (
        "" if person or not words[0].startswith("@") else " Choose the name from Slack's list while you type."
    )
    span, rest = take_span(words[1:])
    number = rest if span is None and len(rest) == 1 and _HOURS.fullmatch(rest[0]) else ()
    if person is None or rest != number:
        raise Refused(f"I did not understand that: {_USAGE}.{name}")
    hours = span.hours if span is not None else int(number[0]) if number else DEFAULT_HOURS
    if hours > MOST_HOURS:
        raise Refused(
            f"{' '.join(words[1:])} is longer than {MOST_HOURS // 24} days: make it shorter, or change the rota."
        )
    return person[1] or person[2], now + timedelta(hours=hours)


def _shown(services: CommandServices, tx: Tx) -> Answer:
    now, settings = services.answer_context.clock.now(), services.answer_context.desk.oncall
    override = override_of(tx, now)
    if override is not None:
        by = name_of(tx, override.by)
        until = f"until {override.until:{_UNTIL}}"
        return saying(f"{name_of(tx, override.person)} is on call {until} (override by {by}).")
    if settings.rota is not None:
        person, ends = turn(settings.rota, now)
        return saying(f"{name_of(tx, person)} is on call until {ends:{_UNTIL}} (rota).")
    if on_call(tx, settings, now):
        return saying(f"The user group {settings.group} is on call.")
    return saying("Nobody is on call: desk.yaml has neither oncall.rota nor oncall.group.", note=_USAGE)


COMMAND = Command(
    word="oncall",
    usage="oncall [@name [hours] | clear]",
    description="who is woken when nobody acknowledges; an override for a while",
    run=_run,
    place=12,
)
