"""App Home: the same glance as ``status``, with the incidents' buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from triage.actions.degraded import banner
from triage.actions.view import offers_of
from triage.diagnosis.strength import strength
from triage.model import Incident
from triage.ports.chat import Section
from triage.ports.store import Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.answers.status import CHECKS, glance, headline
from triage.reports.incident_view import Offer

MOST = 8
"""Incidents with buttons; a view has room for about that many."""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An open incident with what can be pressed on it."""

    incident: Incident
    handle: str
    cause: str = ""
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """What the Home tab shows. ``bots`` is None while the desk was not looked at yet."""

    desk: str
    at: datetime
    banner: str
    incidents: tuple[OpenIncident, ...]
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
        incidents=tuple(_open(tx, incident) for incident in found[:MOST]),
        more=max(0, len(found) - MOST),
    )


def _open(tx: Tx, incident: Incident) -> OpenIncident:
    run = tx.runs.latest(incident.id)
    top = run.verdict.top if run is not None else None
    return OpenIncident(
        incident,
        tx.incidents.handle(incident.id),
        f"{strength(top)}: {top.headline}" if top is not None else "",
        tuple(
            Offer(one.kind, one.target, one.handle, one.why)
            for one in offers_of(tx, tx.actions.of_incident(incident.id))
        ),
    )


async def bots_now(ctx: AnswerContext) -> tuple[Section, Section, str]:
    """Return the bots' lines, what is not known, and the desk in a word."""
    bots, unknown, word = glance(ctx, ctx.bots, await ctx.findings(CHECKS, ctx.bots))
    return bots, unknown, headline(bots, unknown, (), degraded=False) or word
