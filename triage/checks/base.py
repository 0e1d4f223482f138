"""What a check is: one question to one source, answered by one finding."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.desk import Desk
from triage.model import Finding, Incident
from triage.ports.sources import Sources


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check may know: the desk, the sources, the time, and what the triage is about.

    ``bots``: the bots it is about (all of the desk's, where the incident is about none of them);
    ``containers``: their containers, or the container itself; ``since``: when the trouble began (the
    incident's first signal; for a triage without one: now). ``incident`` is None for such a triage.
    ``history``: the audit events we have stored (see ``Evidence``).
    """

    desk: Desk
    sources: Sources
    now: datetime
    since: datetime
    bots: tuple[str, ...]
    containers: tuple[str, ...]
    incident: Incident | None = None
    single_bot: bool = True


Check = Callable[[CheckContext], Awaitable[Finding]]
"""Raises SourceError where its source gave no answer: the runner makes an ``unknown`` finding of it."""


class NamedCheck(Protocol):
    """A module of ``triage.checks`` exposes these."""

    NAME: str
    TITLE: str
    SOURCE: str
