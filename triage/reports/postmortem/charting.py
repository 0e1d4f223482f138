"""An incident's chart is drawn once when it is over, kept, and shown in its thread; a postmortem shows the kept one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from triage.desk import Desk
from triage.errors import RecordUnreadable, SourceError
from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.model import Incident
from triage.ports.charts import Charts
from triage.ports.digests import DrawnPicture
from triage.ports.sources import Metrics
from triage.ports.store import MessageKind, Store, Tx
from triage.reports.postmortem.chart import measured, stored_chart

NONE = "-"
"""In the place of a document's number: it could not be drawn, and that was said."""


@dataclass(frozen=True, slots=True)
class ChartNote:
    """A chart beside a postmortem: its file's name (empty where there is none), what it shows, what is not in it."""

    file: str
    alt: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart, or why there is none (``picture`` None, the reason is the last of ``missing``)."""

    picture: DrawnPicture | None
    missing: tuple[str, ...] = ()

    def note(self, file: str) -> ChartNote:
        """Return what a postmortem says of it, its picture being in a file of that name."""
        return ChartNote(file if self.picture else "", self.picture.alt if self.picture else "", self.missing)


def chart_key(incident: Incident) -> str:
    """Return the note under which the chart of one life of an incident is kept."""
    return f"chart/{incident.id}/{incident.reopened}"


@dataclass(frozen=True, slots=True)
class Charting:
    """Makes charts of incidents: of what is stored, and of what Prometheus remembers."""

    store: Store
    desk: Desk
    metrics: Metrics
    charts: Charts

    async def draw(self, incident_id: int, now: datetime) -> Chart:
        """Return the chart as it is now; what fails is said in it. Raises Refused where there is no such incident."""
        stored = await self.store.read(lambda tx: stored_chart(tx, self.desk, incident_id, now))
        chart = await measured(stored, self.metrics, self.desk.triage.snapshot_stale_seconds)
        try:
            return Chart(await self.charts.draw(chart), chart.missing)
        except SourceError as error:
            return Chart(None, (*chart.missing, str(error)))

    async def kept_or_new(self, incident_id: int, now: datetime) -> Chart:
        """Return the chart that is kept of an incident, else a new one. Raises Refused where there is no such incident."""

        def kept(tx: Tx) -> Chart | None:
            incident = tx.incidents.get(incident_id)
            return kept_chart(tx, incident) if incident is not None and not incident.is_open else None

        return await self.store.read(kept) or await self.draw(incident_id, now)


def kept_chart(tx: Tx, incident: Incident) -> Chart | None:
    """Return the chart that was drawn when the incident was over; None where there is none, or it was forgotten."""
    number = tx.notes.get(chart_key(incident)) or NONE
    try:
        document = tx.notes.document(int(number)) if number != NONE else None
    except (RecordUnreadable, ValueError):
        return None
    if document is None or not document.content:
        return None
    missing = tuple(json.loads(str(document.data.get("missing", "[]"))))
    return Chart(
        DrawnPicture(incident.number, str(document.data.get("alt_text", "")), document.content), missing
    )


def keep_chart(tx: Tx, incident: Incident, chart: Chart, now: datetime) -> bool:
    """Keep a chart and owe it to the incident's thread; False where another one was quicker."""
    key = chart_key(incident)
    if tx.notes.get(key):
        return False
    if chart.picture is None:
        tx.notes.put(key, NONE)
        return True
    tx.notes.put(key, str(owe_chart(tx, incident, chart, now)))
    return True


def owe_chart(tx: Tx, incident: Incident, chart: Chart, now: datetime) -> int:
    """Owe a drawn chart to the incident's thread as a file; return its document."""
    assert chart.picture is not None, "only a drawn chart is owed"  # noqa: S101 - the caller looked
    left_out = f" · not in it: {'; '.join(chart.missing)}" if chart.missing else ""
    data = {
        "name": chart_file(incident),
        "title": f"Chart of {incident.number}",
        "alt_text": chart.picture.alt,
        "comment": f"State, net edge, errors and actions of {incident.number}{left_out}",
        "missing": json.dumps(chart.missing),
    }
    document = tx.notes.save_document("chart", data, made_at=now, content=chart.picture.png)
    tx.outbox.want(
        MessageKind.FILE,
        str(document),
        channel=INCIDENT_CHANNEL,
        now=now,
        incident_id=incident.id,
        in_thread=True,
        urgency=4,
    )
    return document


def chart_file(incident: Incident) -> str:
    """Return the name of a chart's file."""
    return f"chart-{incident.number}.png"
