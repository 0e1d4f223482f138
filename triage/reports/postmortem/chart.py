"""The chart of an incident: what the store saw of it, and what Prometheus remembers where it answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from triage.actions.catalogue import label_of
from triage.concurrency import together
from triage.desk import Desk
from triage.errors import SourceError, no_incident
from triage.kpis.picture import PictureMark
from triage.memory.people import name_of
from triage.model import Incident, Json, TriageRun
from triage.ports.charts import IncidentChart, Points, Track
from triage.ports.sources import Metrics, RangeResult, Series
from triage.ports.store import Tx
from triage.queries import promql
from triage.wording import counted

BOTS, RUNS, POINTS = 3, 50, 300
BEFORE, AFTER, LEAST_STEP = timedelta(minutes=15), timedelta(minutes=5), 15.0
MARKS, NOTES = 12, 2
_NOW = 60.0
"""A state that a triage saw is known for so many seconds around it."""


def stored_chart(tx: Tx, desk: Desk, incident_id: int, now: datetime) -> IncidentChart:
    """Return the chart of what was stored. Raises Refused where there is no such incident."""
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise no_incident(incident_id)
    bots = _bots(incident, desk)
    end = min(now, (incident.resolved_at or now) + AFTER)
    start = min(incident.opened_at, end) - BEFORE
    span = max((end - start).total_seconds(), LEAST_STEP)
    runs = tx.runs.done(incident_id, RUNS)
    more = len(bots) - BOTS
    return IncidentChart(
        number=incident.number,
        title=incident.title,
        start=start.timestamp(),
        end=end.timestamp(),
        step=max(LEAST_STEP, math.ceil(span / POINTS)),
        tracks=tuple(_track(bot, runs) for bot in bots[:BOTS]),
        marks=tuple(_marks(tx, incident)),
        missing=(f"{counted(more, 'more bot')} of it",) if more > 0 else (),
    )


def _bots(incident: Incident, desk: Desk) -> Sequence[str]:
    """Return the bots of an incident; one about a container or the host touches those of the desk."""
    return incident.bots or tuple(bot.name for bot in desk.bots)


def _track(bot: str, runs: Iterable[TriageRun]) -> Track:
    """Return what the triages saw of a bot: points, for between them nobody looked."""
    states: list[tuple[float, float, str]] = []
    edge: list[tuple[float, float]] = []
    errors: list[tuple[float, float]] = []
    for run in runs:
        at = (run.finished_at or run.requested_at).timestamp()
        facts = _fact(run, "bot_state", bot)
        if facts.get("state") and not facts.get("frozen"):
            states.append((at - _NOW / 2, at + _NOW / 2, str(facts["state"])))
        if isinstance(value := facts.get("net_edge"), int | float):
            edge.append((at, 100 * float(value)))
        if isinstance(value := facts.get("error_lines"), int | float):
            errors.append((at, float(value)))
    return Track(bot, tuple(states), tuple(edge), tuple(errors))


def _fact(run: TriageRun, check: str, bot: str) -> Mapping[str, Json]:
    finding = next((one for one in run.findings if one.name == check), None)
    found = (finding.data.get("bots") or {}).get(bot) if finding is not None else None
    return found if isinstance(found, Mapping) else {}


def _marks(tx: Tx, incident: Incident) -> list[PictureMark]:
    """Return what happened: its begin and end, who took it, each action that ran."""
    marks = [PictureMark(incident.opened_at.timestamp(), "incident", incident.number)]
    if incident.acknowledged_at is not None:
        who = name_of(tx, incident.acknowledged_by) or "acknowledged"
        marks.append(PictureMark(incident.acknowledged_at.timestamp(), "action", f"ack {who}"))
    marks += [
        PictureMark(record.started_at.timestamp(), "action", label_of(record.kind))
        for record in tx.actions.of_incident(incident.id)
        if record.started_at is not None
    ]
    if incident.resolved_at is not None:
        marks.append(PictureMark(incident.resolved_at.timestamp(), "incident", "resolved"))
    return sorted(marks, key=lambda mark: mark.at)[:MARKS]


async def measured(chart: IncidentChart, metrics: Metrics, stale_seconds: float) -> IncidentChart:
    """Return the chart with what Prometheus has of its bots; without its answer what is stored stays, and that is said."""
    bots = tuple(track.bot for track in chart.tracks)
    edge = f"({_of_newest('hbot_bot_net_edge_pct', bots)})"
    try:
        answers = await together(
            _range(metrics, chart, f"max by (bot, state) ({_of_newest('hbot_bot_state', bots)})"),
            _range(metrics, chart, _age(bots)),
            _range(metrics, chart, f"avg by (bot) ({edge} == {edge})"),
            _range(
                metrics,
                chart,
                f"max by (bot) ({_of_newest('hbot_bot_recent_error_lines', bots)})",
            ),
        )
    except SourceError as error:
        note = f"{error}: drawn is only what the triages saw"
        return replace(chart, missing=(*chart.missing, note))
    states, ages, edges, errors = (answer.series for answer in answers)
    tracks = tuple(
        Track(
            track.bot,
            _segments(states, track.bot, _silences(ages, track.bot, stale_seconds), chart.step)
            or track.states,
            _points(edges, track.bot, 100.0) or track.edge,
            _points(errors, track.bot) or track.errors,
        )
        for track in chart.tracks
    )
    unread = any(answer.unread for answer in answers)
    in_prometheus = "that can be read in Prometheus" if unread else "in Prometheus"
    absent = [
        f"{track.bot}: nothing of it {in_prometheus}" for track in tracks if not (track.states or track.edge)
    ]
    partial = dict.fromkeys(warning for answer in answers for warning in answer.warnings)
    notes = [f"Prometheus answered in part: {warning}" for warning in list(partial)[:NOTES]]
    return replace(chart, tracks=tracks, missing=(*chart.missing, *absent, *notes))


async def _range(metrics: Metrics, chart: IncidentChart, query: str) -> RangeResult:
    """Ask for the chart's window."""
    return await metrics.query_range(
        query, start=_time(chart.start), end=_time(chart.end), step_seconds=chart.step, partly=True
    )


def _of_newest(metric: str, bots: tuple[str, ...]) -> str:
    """Return the series of the exporter with a bot's newest snapshot: two of them are not mixed into one line.

    A bot without any snapshot's time has whatever series there are.
    """
    series = promql.selector(metric, any_of=bots)
    at = promql.selector("hbot_bot_snapshot_timestamp_seconds", any_of=bots)
    newest = f"({at} == on (bot) group_left () max by (bot) ({at}))"
    return f"{series} and on (bot, job, instance) {newest} or {series} unless on (bot) {at}"


def _age(bots: tuple[str, ...]) -> str:
    return f"time() - max by (bot) ({promql.selector('hbot_bot_snapshot_timestamp_seconds', any_of=bots)})"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _silences(ages: Iterable[Series], bot: str, stale_seconds: float) -> frozenset[float]:
    """Return when a bot's snapshot was too old for its state to be one."""
    mine = [one for one in ages if one.labels.get("bot") == bot]
    return frozenset(at.timestamp() for one in mine for at, age in one.points if age > stale_seconds)


def _segments(
    series: Iterable[Series], bot: str, silent: frozenset[float], step: float
) -> tuple[tuple[float, float, str], ...]:
    """Return a bot's states as stretches; a gap of the metrics or an old snapshot is none."""
    seen = {
        at.timestamp(): one.labels.get("state", "")
        for one in series
        if one.labels.get("bot") == bot
        for at, value in one.points
        if value == 1 and at.timestamp() not in silent
    }
    found: list[tuple[float, float, str]] = []
    for at in sorted(seen):
        if found and found[-1][2] == seen[at] and at - found[-1][1] <= step / 2:
            found[-1] = (found[-1][0], at + step, seen[at])
        else:
            found.append((at, at + step, seen[at]))
    return tuple(found)


def _points(series: Iterable[Series], bot: str, times: float = 1.0) -> Points:
    mine = [one for one in series if one.labels.get("bot") == bot]
    return tuple(
        sorted(
            (at.timestamp(), times * value)
            for one in mine
            for at, value in one.points
            if math.isfinite(value)
        )
    )
