"""Commands that change something: only who holds the role may; a refusal is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from handlers.slack.commands.reading import which_incident
from handlers.slack.commands.services import Call, CommandServices
from handlers.slack.commands.words import nearest
from triage.actions.kinds import KINDS
from triage.errors import Refused
from triage.incidents import operations
from triage.incidents.operations import Outcome
from triage.people import remember
from triage.ports.chat import Answer, saying
from triage.ports.store import Tx


class Operation(Protocol):
    """One of ``triage.incidents.operations``."""

    def __call__(self, tx: Tx, incident_id: int, *, actor: str, now: datetime) -> Outcome:
        """Do it inside a transaction."""
        ...


async def ack_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Take an incident."""
    return await _operate(
        services, call, which_incident("ack", call, words), "acknowledge incidents", operations.acknowledge
    )


async def resolve_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Close an incident."""
    return await _operate(
        services, call, which_incident("resolve", call, words), "resolve incidents", operations.resolve
    )


async def _operate(
    services: CommandServices, call: Call, incident: int, what: str, operation: Operation
) -> Answer:
    await _may(services, call, what, incident)
    house = services.services

    def work(tx: Tx) -> Outcome:
        remember(tx, call.user, call.user_name)
        return operation(tx, incident, actor=call.user, now=house.clock.now())

    outcome = await house.store.write(work)
    house.changed()
    return saying(outcome.text)


async def silence_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    """Open the silence form."""
    incident = which_incident("silence", call, words)
    return await services.silence(call, incident)


async def do_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer | None:
    """Open an action's confirm modal."""
    if not words:
        raise Refused("Do what? For instance: /triage do restart bot1. /triage actions lists all.")
    kind = words[0].lower()
    if kind not in KINDS:
        like = nearest(kind, KINDS)
        raise Refused(
            f"There is no action {kind[:40]!r}; {f'did you mean {like}?' if like else '/triage actions lists all.'}"
        )
    return await services.do(call, kind, words[1] if len(words) > 1 else "desk")


async def drill_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Fire the controlled test alert."""
    del words
    await _may(services, call, "fire a drill", None)
    return await services.drill(call)


async def postmortem_(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
    """Write an incident out."""
    return await services.postmortem(call, which_incident("postmortem", call, words))


async def _may(services: CommandServices, call: Call, what: str, incident: int | None) -> None:
    house = services.services
    decision = await house.roles.decide(call.user, "operator", what)

    def record(tx: Tx) -> None:
        remember(tx, call.user, call.user_name)
        if decision.allowed:
            return
        known = incident if incident is not None and tx.incidents.get(incident) is not None else None
        operations.record_denied(tx, known, actor=call.user, what=what, now=house.clock.now())

    await house.store.write(record)
    if not decision.allowed:
        raise Refused(decision.why)
