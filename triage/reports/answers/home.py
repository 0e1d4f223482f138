"""App Home: the same glance as ``status``, with the incidents' buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage.actions.degraded import banner
from triage.ports.chat import Section
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.status import CHECKS, glance, headline
from triage.reports.incident_view import IncidentView

MOST = 8
"""Incidents with buttons; a view has room for about that many."""


@dataclass(frozen=True, slots=True)
class Home:
    """What the Home tab shows. ``bots`` is None while the desk was not looked at yet."""

    desk: str
    at: datetime
    banner: str
    incidents: tuple[IncidentView, ...]
    more: int = 0
    bots: Section | None = None
    unknown: Section | None = None
    word: str = ""


def stored_home(tx: Tx, ctx: AnswerContext, now: datetime) -> Home:
    """Return what the store knows: it needs nobody's answer."""
    found = sorted(tx.incidents.open(), key=lambda one: (one.severity.rank, -one.id))
    return Home(
        desk=ctx.desk.name,
        at=now,
        banner=banner(tx, now),
        incidents=tuple(ctx.view(tx, incident) for incident in found[:MOST]),
        more=max(0, len(found) - MOST),
    )


async def bots_now(ctx: AnswerContext) -> tuple[Section, Section, str]:
    """Return the bots' lines, what is not known, and the desk in a word."""
    bots, unknown, word = glance(ctx, ctx.bots, await ctx.findings(CHECKS, ctx.bots))
    return bots, unknown, headline(bots, unknown, (), degraded=False) or word
