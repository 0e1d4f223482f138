"""A disk for temporary files that fills up or becomes read-only in the middle of a digest or a chart: the figures come."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.charts.process import ChartProcess
from bot.sources.minute_csv import digests
from bot.sources.minute_csv.digest import build_digest
from bot.sources.minute_csv.digests import CsvDigests
from tests.flows.desk_files import write_minutes
from tests.servers.small_disk import mounted
from triage.desk import Desk
from triage.errors import SourceError
from triage.kpis.model import DigestReport
from triage.ports.charts import IncidentChart, Track

pytestmark = pytest.mark.slow
DAY = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 21, tzinfo=UTC)
BOTS = ("bot1", "bot2", "bot3")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep temporary files on a file system of one page more than a folder takes."""
    with mounted(tmp_path / "disk", "16k") as place:
        monkeypatch.setattr("tempfile.tempdir", str(place))
        yield place


def desk(data: Path) -> CsvDigests:
    """Return the digests of three bots that ran all day."""
    for bot in BOTS:
        write_minutes(data, bot, *DAY)
    return CsvDigests(Desk.model_validate({"bots": [{"name": bot} for bot in BOTS]}), data)


async def test_a_disk_that_fills_up_costs_the_pictures_and_not_the_figures(
    disk: Path, tmp_path: Path
) -> None:
    """No half picture is sent, and it is said why there is none."""
    measured = await desk(tmp_path / "data").measure(BOTS, *DAY, pictures=True)
    assert [bot.bot for bot in measured.report.bots] == list(BOTS)
    assert all(picture.png.endswith(b"IEND\xaeB`\x82") for picture in measured.pictures)
    assert len(measured.pictures) < len(BOTS)
    assert "No space left on device" in " ".join(measured.report.problems)
    assert list(disk.iterdir()) == []  # noqa: ASYNC240 - in memory


async def test_a_disk_that_becomes_read_only_costs_the_pictures_and_not_the_figures(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the digest when the temporary folder cannot be removed."""

    async def on_a_read_only_disk(*arguments: object, **named: object) -> DigestReport:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)  # noqa: ASYNC221 - milliseconds
        return await build_digest(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(digests, "build_digest", on_a_read_only_disk)
    measured = await desk(tmp_path / "data").measure(BOTS, *DAY, pictures=True)
    assert [bot.bot for bot in measured.report.bots] == list(BOTS)
    assert measured.pictures == ()
    assert "Read-only file system" in " ".join(measured.report.problems)


async def test_a_chart_on_a_full_disk_says_so(disk: Path) -> None:
    """Its incident is told without it."""
    (disk / "ballast").write_bytes(bytes(8_000))
    start, end = (at.timestamp() for at in DAY)
    states = ((start, end, "running"),)
    tracks = (Track("bot1", states, tuple((start + 60.0 * n, n % 7) for n in range(1440))),)
    chart = IncidentChart(number="INC-1", title="x", start=start, end=end, step=60, tracks=tracks)
    with pytest.raises(SourceError, match=r"could not be drawn: .*No space left"):
        await ChartProcess().draw(chart)
