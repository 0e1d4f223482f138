"""The chart of an incident: true to what was stored and measured, drawn once, and what is not in it is said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.store import open_store
from schedules.charts import SETTLED, ChartJob
from tests.fakes.clock import START, ManualClock
from tests.fakes.sources import FakeMetrics
from tests.triage.reports.postmortem.test_postmortem import live_through
from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.errors import SourceError
from triage.model import Subject, SubjectKind
from triage.ports.digests import DrawnPicture
from triage.ports.sources import RangeResult, Series
from triage.ports.store import MessageKind
from triage.reports.postmortem.chart import measured, stored_chart
from triage.reports.postmortem.charting import Charting, chart_file, kept_chart
from triage.reports.postmortem.gather import gather
from triage.reports.postmortem.markdown import as_markdown

if TYPE_CHECKING:
    from bot.store import SqlStore
    from triage.ports.charts import IncidentChart
    from triage.ports.store import Tx

STALE = 180.0


@dataclass
class FakeCharts:
    """Draws nothing but notes what it was asked for; fails so many times first."""

    fails: int = 0
    drawn: list[IncidentChart] = field(default_factory=list)

    async def draw(self, chart: IncidentChart) -> DrawnPicture:
        """Return a picture."""
        if self.fails:
            self.fails -= 1
            raise SourceError("chart", "the drawing process ended: killed")
        self.drawn.append(chart)
        return DrawnPicture(chart.number, "bot1 stopped at 03:00", b"png")


class Remembering(FakeMetrics):
    """Prometheus with a past of bot1: it runs, is silent for a minute, then stands."""

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float, partly: bool = False
    ) -> RangeResult:
        """Answer by metric."""
        await self.ask(promql)
        assert start < end
        assert partly
        steps = [start + timedelta(seconds=step_seconds * n) for n in range(5)]
        if promql.startswith("time()"):
            return RangeResult((Series({"bot": "bot1"}, _points(steps, 10.0, 10, 600, 10, 10)),))
        if "hbot_bot_state" in promql:
            running = Series({"bot": "bot1", "state": "running"}, _points(steps, 1, 1, 1, 0, 0))
            stopped = Series({"bot": "bot1", "state": "hard_stop"}, _points(steps, 0, 0, 0, 1, 1))
            return RangeResult((running, stopped), self.warnings)
        if "net_edge" in promql:
            return RangeResult((Series({"bot": "bot1"}, _points(steps, 0.0002, 0.0001, float("nan"), 0, 0)),))
        return RangeResult((Series({"bot": "bot1"}, _points(steps, 0, 3, 5, 5, 5)),), self.warnings)


def _points(steps: list[datetime], *values: float) -> tuple[tuple[datetime, float], ...]:
    return tuple(zip(steps, map(float, values), strict=True))


@pytest.fixture
async def clock(store: SqlStore) -> ManualClock:
    """Give the time right after the end of an incident."""
    clock = ManualClock()
    await store.write(lambda tx: live_through(tx, clock))
    return clock


async def test_what_was_stored_is_drawn_where_prometheus_is_away(store: SqlStore, clock: ManualClock) -> None:
    """The flags of begin, acknowledgement, action and end; and a word on what is missing."""
    chart = await store.read(lambda tx: stored_chart(tx, Desk(), 1, clock.now()))
    assert [mark.label for mark in chart.marks] == ["INC-1", "ack @ana", "Clear cache", "resolved"]
    assert [mark.kind for mark in chart.marks] == ["incident", "action", "action", "incident"]
    assert chart.start < START.timestamp() < chart.end == clock.now().timestamp()
    away = FakeMetrics(error=SourceError("Prometheus", "does not answer"))
    after = await measured(chart, away, STALE)
    assert after.tracks == chart.tracks
    assert after.missing == ("Prometheus: does not answer: drawn is only what the triages saw",)


async def test_prometheus_fills_the_time_between_the_triages(store: SqlStore, clock: ManualClock) -> None:
    """States as stretches; a snapshot that is too old is no state, and a NaN is no edge."""
    chart = await store.read(lambda tx: stored_chart(tx, Desk(), 1, clock.now()))
    track = (await measured(chart, Remembering(), STALE)).tracks[0]
    at, step = chart.start, chart.step
    assert track.states == ((at, at + 2 * step, "running"), (at + 3 * step, at + 5 * step, "hard_stop"))
    assert [round(value, 6) for _, value in track.edge] == [0.02, 0.01, 0, 0]
    assert [value for _, value in track.errors] == [0, 3, 5, 5, 5]


async def test_a_chart_of_a_partial_answer_says_so(store: SqlStore, clock: ManualClock) -> None:
    """A gap in it may be one of the answer."""
    chart = await store.read(lambda tx: stored_chart(tx, Desk(), 1, clock.now()))
    partial = await measured(chart, Remembering(warnings=("remote read failed",)), STALE)
    assert partial.missing == ("Prometheus answered in part: remote read failed",)


async def test_a_desk_of_many_bots_draws_three_and_counts_the_rest(
    store: SqlStore, clock: ManualClock
) -> None:
    """A picture of forty bots would be read by nobody."""
    bots = tuple(Bot(name=f"bot{number}") for number in range(1, 41))

    def widen(tx: Tx) -> IncidentChart:
        incident = tx.incidents.get(1)
        assert incident is not None
        subjects = tuple(Subject(SubjectKind.BOT, bot.name) for bot in bots)
        tx.incidents.save(replace(incident, subjects=subjects))
        return stored_chart(tx, Desk(bots=bots), 1, clock.now())

    chart = await store.write(widen)
    assert [track.bot for track in chart.tracks] == ["bot1", "bot2", "bot3"]
    assert chart.missing == ("37 more bots of it",)


async def test_it_is_drawn_once_also_across_a_restart(store_url: str) -> None:
    """The job of a process that was killed after the commit finds nothing to do in the next one."""
    clock, charts = ManualClock(), FakeCharts()
    async with open_store(store_url) as store:
        await store.write(lambda tx: live_through(tx, clock))
        job = ChartJob(Charting(store, Desk(), Remembering(), charts), clock, lambda: None)
        assert not await job.run(), "what resolves for a moment comes back"
        clock.move(seconds=SETTLED.total_seconds())
        assert await job.run()
        assert not await job.run()
    async with open_store(store_url) as store:
        again = ChartJob(Charting(store, Desk(), Remembering(), charts), clock, lambda: None)
        assert not await again.run()
        assert len(charts.drawn) == 1
        owed = await store.read(_files)
        kept = await store.read(lambda tx: kept_chart(tx, tx.incidents.recent(START)[0]))
    assert owed == 1
    assert kept is not None
    assert kept.picture == DrawnPicture("INC-1", "bot1 stopped at 03:00", b"png")


def _files(tx: Tx) -> int:
    return sum(tx.outbox.find(MessageKind.FILE, str(number)) is not None for number in range(1, 20))


@pytest.mark.parametrize(("fails", "told"), [(2, False), (3, True)])
async def test_a_chart_that_cannot_be_drawn_is_said_once(
    store: SqlStore, clock: ManualClock, fails: int, *, told: bool
) -> None:
    """Two failures are tried again; after the third the thread has a line, and no more is tried."""
    charts = FakeCharts(fails=fails)
    job = ChartJob(Charting(store, Desk(), Remembering(), charts), clock, lambda: None)
    clock.move(seconds=SETTLED.total_seconds())
    for _ in range(5):
        await job.run()
    lines = await store.read(lambda tx: [entry.text for entry in tx.timeline.of(1) if "chart" in entry.text])
    assert lines == (["no chart of it: chart: the drawing process ended: killed"] if told else [])
    assert len(charts.drawn) == (0 if told else 1)


async def test_the_postmortem_shows_the_chart_and_what_is_not_in_it(
    store: SqlStore, clock: ManualClock
) -> None:
    """As a picture beside the file, and in words."""
    charting = Charting(
        store, Desk(), FakeMetrics(error=SourceError("Prometheus", "does not answer")), FakeCharts()
    )
    chart = await charting.kept_or_new(1, clock.now())
    post = await store.read(lambda tx: gather(tx, 1, clock.now()))
    text = as_markdown(replace(post, chart=chart.note(chart_file(post.incident))))
    assert "![bot1 stopped at 03:00](chart-INC-1.png)" in text
    assert "not in it: Prometheus: does not answer" in text
    failed = await Charting(store, Desk(), Remembering(), FakeCharts(fails=1)).draw(1, clock.now())
    assert "It could not be drawn." in as_markdown(replace(post, chart=failed.note("x.png")))
