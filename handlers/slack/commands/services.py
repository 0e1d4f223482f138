"""What the commands need, put together by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from handlers.slack.services import Services
from triage.ports.chat import Answer, Render
from triage.reports.answers.context import Asking


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


Do = Callable[[Call, str, str], Awaitable[Answer | None]]
"""Open the confirm modal of an action on a target; None: the modal is the answer."""
Silence = Callable[[Call, int], Awaitable[Answer | None]]
"""Open the silence form of an incident; None: the form is the answer."""
Measure = Callable[[str, str], Awaitable[Answer]]
"""Measure the KPIs of a bot (empty: all) over a window (``24h``); the pictures are the answer's files."""
Act = Callable[[Call], Awaitable[Answer]]
"""Do something for the caller and answer."""
Write = Callable[[Call, int], Awaitable[Answer]]
"""Do something about an incident for the caller and answer."""


@dataclass(frozen=True, slots=True)
class CommandServices:
    """The house, the questions, the renderer, and what other rooms do for a command."""

    services: Services
    asking: Asking
    render: Render
    do: Do
    silence: Silence
    kpi: Measure
    drill: Act
    postmortem: Write
    actions: Callable[[], Awaitable[Answer]]
