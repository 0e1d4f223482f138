"""Incidents of the lab as people read them: the card's lines, the message of the triage, the whole report."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bot.slack.blocks.report import report_view
from bot.slack.blocks.triage import triage_message
from bot.slack.blocks.verdict import cause_lines, do_lines
from demo.lab.breaker import Breaker
from demo.lab.collection import own_faults
from demo.lab.triage import LabTriage, triage
from demo.lab.watched_desk import PreparedDesks, WatchedDesk
from triage.model import Incident, Json, RunStatus, TriageRun, utc
from triage.reports.incident_view import IncidentView, Offer

SEED = 1
FAULTS = {fault.name: fault for fault in own_faults()}


@dataclass(frozen=True, slots=True)
class Reading:
    """Which faults strike which bots, and which source is missing."""

    faults: tuple[tuple[str, str], ...]
    missing: str = ""
    settles: float = 600.0


READINGS = {
    "two causes": Reading((("key-deleted", "bot1"), ("base-above-band", "bot1")), settles=1_500.0),
    "a source missing": Reading((("key-deleted", "bot1"),), "loki"),
    "a false alert": Reading((("stale-hard-stop-alert", "bot1"),)),
    "an upstream cause": Reading((("redis-stopped", ""),)),
    "another exchange": Reading((("clock-off-elsewhere", ""),)),
}


async def reading(name: str, desks: PreparedDesks) -> str:
    """Play a reading on a copy of a desk and return what is shown of its first incident, as plain text."""
    watched, own = await desks.take(SEED, "")
    try:
        incident, looked = await _triaged(READINGS[name], watched)
        return shown(incident, looked, watched)
    finally:
        shutil.rmtree(own, ignore_errors=True)


async def _triaged(told: Reading, watched: WatchedDesk) -> tuple[Incident, LabTriage]:
    first_bot = told.faults[0][1]
    dice = Random(SEED)  # noqa: S311 - a simulation's dice
    breaker = Breaker(
        world=watched.world, prometheus=watched.prometheus, bus=watched.bus, bot=first_bot, dice=dice
    )
    for fault, bot in told.faults:
        breaker.bot = bot
        FAULTS[fault].strike(breaker)
    breaker.bot = first_bot
    while not watched.all_incidents():
        await watched.step(breaker)
    await watched.pass_time(told.settles, breaker=breaker)
    incident = watched.all_incidents()[0]
    return incident, await triage(watched, incident, told.missing)


def shown(incident: Incident, looked: LabTriage, watched: WatchedDesk) -> str:
    """Return card, message and report as text, a line a line."""
    now = utc(watched.now)
    run = TriageRun(
        id=1, incident_id=incident.id, reason="incident opened", requested_at=now, status=RunStatus.DONE, finished_at=now,
        findings=looked.findings, verdict=looked.verdict,
    )  # fmt: skip
    offers = tuple(
        Offer(each.kind, each.target, f"{each.kind} {each.target}", each.why)
        for each in looked.verdict.actions
    )
    view = IncidentView(incident, "h", tuple(watched.incidents.episodes(incident)), run, offers=offers)
    card = ["".join(str(part["text"]) for part in line) for line in (*cause_lines(view), *do_lines(view))]
    message = triage_message([run], now, "h")
    report = report_view(incident, run, now)
    return "\n".join(
        [*card, "--- message", *_texts(list(message.blocks)), "--- report", *_texts(report["blocks"])]
    )


def _texts(blocks: Json) -> Iterator[str]:
    for block in blocks:
        text = "".join(_leaves(block))
        yield from (line for line in text.split("\n") if line.strip())


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
            return
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
