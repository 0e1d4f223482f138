"""``hbot-triage digest`` and ``hbot-triage postmortem``: the same reports as in Slack, printed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.charts.process import ChartProcess
from bot.settings import Settings
from bot.slack.blocks.answer import answer_text
from bot.sources.minute_csv.digests import CsvDigests
from bot.store import has_database, open_store
from bot.whole_files import write_whole
from bot.wiring.sources import open_configured
from triage.desk import Desk
from triage.errors import BadInput, DeskFailure, Refused
from triage.kpis.model import ActionNote, IncidentNote
from triage.model import Json
from triage.ports.answers import Tally
from triage.ports.chat import Section
from triage.ports.digests import Measured
from triage.ports.store import Tx
from triage.reports.answers.kpi import window_length
from triage.reports.digest.answer import digest_text
from triage.reports.digest.hit_rate import counted, hit_rate
from triage.reports.digest.period import action_notes, incident_notes
from triage.reports.postmortem.charting import Charting
from triage.reports.postmortem.gather import Postmortem, gather

NO_DATABASE = "the service has no database at TRIAGE_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class DigestAsk:
    """What to measure: one bot or all (empty), a window that ends ``at`` (None: now), in ``data`` or the desk's."""

    bot: str = ""
    window: str = "24h"
    at: datetime | None = None
    data: Path | None = None
    png: Path | None = None

    def times(self, now: datetime) -> tuple[datetime, datetime]:
        """Return start and end, whole minutes in UTC. Raises BadInput."""
        try:
            length = window_length(self.window)
        except Refused as error:
            raise BadInput(str(error), "--window") from error
        end = (self.at or now).astimezone(UTC).replace(second=0, microsecond=0)
        return end - length, end


@dataclass(frozen=True, slots=True)
class Answered:
    """What people answered about verdicts: in the window, and ever (strength → how many, how many of them right)."""

    period: Tally = field(default_factory=dict)
    ever: Tally = field(default_factory=dict)

    @property
    def section(self) -> Section:
        """The lines of the digest."""
        return hit_rate(self.period, self.ever)

    def json(self) -> dict[str, Json]:
        """Return ``{"period": {"answered", "right", "no_cause_named", "by_strength": {…}}, "ever": …}``."""
        return {"period": counted(self.period), "ever": counted(self.ever)}


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest with the incidents of its window."""

    measured: Measured
    incidents: tuple[IncidentNote, ...]
    title: str
    verdicts: Answered

    def to_json(self) -> dict[str, Json]:
        """Return the report for programs, with how often verdicts were right under ``verdicts``."""
        return {**self.measured.report.to_json(), "verdicts": self.verdicts.json()}

    def text(self) -> str:
        """Return it for a terminal."""
        whole = digest_text(
            self.measured.report,
            self.incidents,
            title=self.title,
            room=sys.maxsize,
            verdicts=self.verdicts.section,
        )
        return answer_text(whole.top)


async def make_digest(settings: Settings, ask: DigestAsk) -> Digest:
    """Measure a window, and draw it where a picture is asked for. Raises BadInput, SourceError, DeskFailure."""
    desk = settings.desk
    start, end = ask.times(datetime.now(UTC))
    bots = _bots(desk, ask)
    incidents, actions, verdicts, problems = await _from_store(settings, start, end)
    measured = await CsvDigests(desk, ask.data or desk.paths.data).measure(
        bots, start, end, incidents=incidents, actions=actions, pictures=ask.png is not None
    )
    report = measured.report
    measured = replace(measured, report=replace(report, problems=(*report.problems, *problems)))
    if ask.png is not None:
        await asyncio.to_thread(_save, measured, ask.png)
    mine = tuple(note for note in incidents if any(note.concerns(bot) for bot in bots))
    return Digest(measured, mine, f"KPI digest {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC", verdicts)


def _bots(desk: Desk, ask: DigestAsk) -> Sequence[str]:
    names = tuple(bot.name for bot in desk.bots)
    if not ask.bot:
        return names
    # A folder of files may hold a bot that desk.yaml does not know: it is measured with the desk's limits.
    if ask.bot in names or ask.data is not None:
        return (ask.bot,)
    raise BadInput(f"there is no bot {ask.bot[:60]!r}; the desk has {', '.join(names)}", "--bot")


async def _from_store(
    settings: Settings, start: datetime, end: datetime
) -> tuple[tuple[IncidentNote, ...], tuple[ActionNote, ...], Answered, tuple[str, ...]]:
    """Return what the service stored of the window; without its database there is none, and that is said."""
    url = settings.triage_database_url.get_secret_value()
    if not await asyncio.to_thread(has_database, url):
        return (), (), Answered(), (f"incidents and actions are not known: {NO_DATABASE}",)
    bots = tuple(bot.name for bot in settings.desk.bots)

    def read(tx: Tx) -> tuple[tuple[IncidentNote, ...], tuple[ActionNote, ...], Answered]:
        verdicts = Answered(tx.answers.tally(start, end), tx.answers.tally())
        return incident_notes(tx, start, end), action_notes(tx, bots, start, end), verdicts

    async with open_store(url) as store:
        return (*await store.read(read), ())


def _save(measured: Measured, path: Path) -> None:
    """Save one picture under the path itself, several as ``path-bot.png``."""
    if not measured.pictures:
        raise DeskFailure(f"no picture: {'; '.join(measured.report.problems) or 'no bot wrote a minute'}")
    several = len(measured.pictures) > 1
    for picture in measured.pictures:
        target = path.with_name(f"{path.stem}-{picture.bot}{path.suffix or '.png'}") if several else path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, picture.png)
        except OSError as error:
            raise DeskFailure(f"{target} cannot be written: {error.strerror}") from error


async def make_postmortem(settings: Settings, incident_id: int, out: Path | None = None) -> Postmortem:
    """Gather an incident's postmortem from the store. Raises Refused where there is no such incident.

    With ``out`` its chart is put beside that file, as a PNG.
    """
    url = settings.triage_database_url.get_secret_value()
    if not await asyncio.to_thread(has_database, url):
        raise Refused(f"There is no incident INC-{incident_id}: {NO_DATABASE}.")
    async with open_store(url) as store:
        now = datetime.now(UTC)
        post = await store.read(lambda tx: gather(tx, incident_id, now))
        if out is None:
            return post
        async with open_configured(settings) as opened:
            chart = await Charting(store, settings.desk, opened.sources.metrics, ChartProcess()).kept_or_new(
                incident_id, now
            )
    picture = out.with_name(f"{out.stem}-chart.png")
    if chart.picture is not None:
        try:
            await asyncio.to_thread(write_whole, picture, chart.picture.png)
        except OSError as error:
            raise DeskFailure(f"{picture} cannot be written: {error.strerror}") from error
    return replace(post, chart=chart.note(picture.name))
