"""What a command of ``/triage`` is, who calls it, and what the composition root puts together for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from handlers.slack.services import Services
from triage.errors import Refused
from triage.incidents.operations import record_denied
from triage.memory.people import remember
from triage.model import Json
from triage.ports.chat import Answer
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.roles import RoleName


@dataclass(frozen=True, slots=True)
class Call:
    """Who typed a command, where, and in which incident's thread (None: in none).

    ``public``: everybody in the channel sees the answer.
    """

    user: str
    user_name: str
    channel: str
    trigger_id: str = ""
    thread_ts: str = ""
    incident_id: int | None = None
    public: bool = False


class RenderedAnswer(Protocol):
    """An answer as Slack takes it."""

    @property
    def text(self) -> str:
        """The line that notifications and screen readers get."""
        ...

    @property
    def blocks(self) -> tuple[Json, ...]:
        """What Slack shows, as Block Kit."""
        ...


Render = Callable[[Answer], RenderedAnswer]
"""Turns an answer into a message."""


Do = Callable[[Call, str, str], Awaitable[Answer | None]]
"""Open the confirm modal of an action on a target; None: the modal is the answer."""
Silence = Callable[[Call, int], Awaitable[Answer | None]]
"""Open the silence form of an incident; None: the form is the answer."""
SayCause = Callable[[Call, int], Awaitable[Answer | None]]
"""Open the form that asks what an incident's cause was; None: the form is the answer."""
Measure = Callable[[str, str], Awaitable[Answer]]
"""Measure the KPIs of a bot (empty: all) over a window (``24h``); the pictures are the answer's files."""
Act = Callable[[Call], Awaitable[Answer]]
"""Do something for the caller and answer."""
Write = Callable[[Call, int], Awaitable[Answer]]
"""Do something about an incident for the caller and answer."""


@dataclass(frozen=True, slots=True)
class CommandServices:
    """The services, the questions, the renderer, and what other modules do for a command."""

    services: Services
    answer_context: AnswerContext
    render: Render
    do: Do
    silence: Silence
    cause: SayCause
    kpi: Measure
    drill: Act
    postmortem: Write
    actions: Callable[[], Awaitable[Answer]]
    commands: Mapping[str, Command]


Run = Callable[[CommandServices, Call, tuple[str, ...]], Awaitable[Answer | None]]
"""Answer a call with its words; None: a form is the answer. Raises Refused in words for the person."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what is typed, how the help shows it, who may, and what it does.

    ``role``: the role of desk.yaml that is asked for before it runs (None: everybody, or the form decides), ``what``
    completes "you may not …" where it is missing, ``place`` orders the help.
    """

    word: str
    usage: str
    description: str
    run: Run
    role: RoleName | None = None
    what: str = ""
    place: int = 50


async def authorise(services: CommandServices, call: Call, command: Command, incident: int | None) -> None:
    """Ask whether the caller may give a command. Raises Refused."""
    if command.role is not None:
        await require(services, call, command.role, command.what, incident)


async def require(
    services: CommandServices, call: Call, role: RoleName, what: str, incident: int | None = None
) -> None:
    """Ask whether the caller holds a role; a refusal is recorded on the incident where one is named. Raises Refused."""
    parts = services.services
    decision = await parts.roles.decide(call.user, role, what)

    def record(tx: Tx) -> None:
        remember(tx, call.user, call.user_name)
        if decision.allowed:
            return
        known = incident if incident is not None and tx.incidents.get(incident) is not None else None
        record_denied(tx, known, actor=call.user, what=what, now=parts.clock.now())

    await parts.store.write(record)
    if not decision.allowed:
        raise Refused(decision.why)
