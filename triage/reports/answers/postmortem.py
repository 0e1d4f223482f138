"""``postmortem``: the incident written out, as files in its thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.ports.chat import Answer, saying
from triage.ports.store import MessageKind, Tx
from triage.reports.answers.context import AnswerContext
from triage.reports.postmortem.charting import Chart, Charting, chart_file, kept_chart, owe_chart
from triage.reports.postmortem.gather import gather
from triage.reports.postmortem.markdown import as_markdown


async def file_postmortem(
    ctx: AnswerContext, charting: Charting, incident_id: int, *, by: str, wake_sender: Callable[[], None]
) -> Answer:
    """Write an incident out and owe the files to its thread. Raises Refused where there is no such incident."""
    chart = await charting.kept_or_new(incident_id, ctx.clock.now())
    number = await ctx.store.write(lambda tx: _file(ctx, tx, incident_id, by, chart))
    wake_sender()
    with_chart = "with its chart" if chart.picture is not None else f"without a chart ({chart.missing[-1]})"
    return saying(
        f"The postmortem of {number} is on its way into its thread, as Markdown and as JSON, {with_chart}.",
        note="What only people know is marked in it as to be completed.",
    )


def _file(ctx: AnswerContext, tx: Tx, incident_id: int, by: str, chart: Chart) -> str:
    now = ctx.clock.now()
    post = gather(tx, incident_id, now)
    number = post.incident.number
    post = replace(post, chart=chart.note(chart_file(post.incident)))
    if (
        chart.picture is not None and kept_chart(tx, post.incident) is None
    ):  # the kept one is in the thread already
        owe_chart(tx, post.incident, chart, now)
    files = {
        f"postmortem-{number}.md": as_markdown(post),
        f"postmortem-{number}.json": json.dumps(post.to_json(), indent=2, ensure_ascii=False),
    }
    for name, text in files.items():
        data = {"name": name, "title": f"Postmortem {number}", "comment": ""}
        document = tx.notes.save_document("postmortem", data, made_at=now, content=text.encode())
        tx.outbox.want(
            MessageKind.FILE,
            str(document),
            channel=INCIDENT_CHANNEL,
            now=now,
            incident_id=incident_id,
            in_thread=True,
            urgency=3,
        )
    tx.audit.append(at=now, actor=by, event="incident.postmortem", target=number)
    return number
