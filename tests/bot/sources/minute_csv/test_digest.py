from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import uvloop
from PIL import Image

from bot.sources.minute_csv import digest
from bot.sources.minute_csv.child_process import child
from bot.sources.minute_csv.digest import BotAsk, build_digest
from bot.sources.minute_csv.digests import CsvDigests
from bot.sources.minute_csv.folders import bots, csv_files
from bot.watched_reads import FOLDERS
from tests.bot.sources.minute_csv.files import H33, H36, MIDNIGHT, START, folder_of, row, rows, write
from triage.desk import Desk
from triage.errors import SourceBadAnswer, SourceTimeout, SourceUnreachable
from triage.kpis.limits import KpiLimits
from triage.kpis.model import ActionNote, IncidentNote, KpiVerdict
from triage.reports.digest.lines import verdict_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.sources.minute_csv.child_process import Child

WINDOW = (START, MIDNIGHT)
GOOD = {"paper_reject_count": 0, "turnover_today_x": "0.5", "net_edge_pct": "0.0002"}


def desk(data: Path) -> None:
    """Write two bots: one whose hour was good, one that ran half of it."""
    write(folder_of(data, "bot1") / "minute.csv", H36, rows(range(60), 36, **GOOD))
    write(folder_of(data, "bot2", "d") / "minute.csv", H33, rows(range(30), 33))


async def test_a_digest_has_figures_and_pictures_of_every_bot(tmp_path: Path) -> None:
    """Reports come in the order of asking; each picture is a PNG in both themes, with words for it."""
    desk(tmp_path / "data")
    report = await build_digest(
        tmp_path / "data",
        [BotAsk("bot2", "d"), BotAsk("bot1", "a", KpiLimits(running_pct_min=99))],
        WINDOW,
        incidents=[IncidentNote("INC-7", "stopped", START + timedelta(minutes=9), ("bot2",))],
        actions=[ActionNote("clear_cache", START + timedelta(minutes=20), "bot2")],
        pictures=tmp_path / "pictures",
        themes=("light", "dark"),
    )
    assert [(bot.bot, bot.coverage_pct, bot.verdict) for bot in report.bots] == [
        ("bot2", 50.0, KpiVerdict.HOLD),
        ("bot1", 100.0, KpiVerdict.MEETS),
    ]
    assert report.bots[1].kpi("running_pct").limit == 99
    assert report.bots[0].incidents.unresolved == ("INC-7",)
    assert report.problems == ()
    assert [(p.bot, p.theme) for p in report.pictures] == [
        ("bot2", "light"),
        ("bot2", "dark"),
        ("bot1", "light"),
        ("bot1", "dark"),
    ]
    for picture in report.pictures:
        with Image.open(picture.path) as image:
            assert (image.format, image.width) == ("PNG", 1080)
    assert "INC-7, clear_cache" in report.pictures[0].alt


@pytest.mark.slow
def test_a_digest_is_built_on_the_loop_of_the_service(tmp_path: Path) -> None:
    """Uvloop takes fewer options for a process than asyncio's own loop; the service runs on it."""
    desk(tmp_path / "data")
    built = build_digest(tmp_path / "data", [BotAsk("bot1")], WINDOW, pictures=tmp_path / "pictures")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(built)
    assert ([bot.bot for bot in report.bots], len(report.pictures), report.problems) == (["bot1"], 1, ())


async def test_the_json_of_a_digest_keeps_the_contract(tmp_path: Path) -> None:
    """What a script reads."""
    desk(tmp_path)
    body = (await build_digest(tmp_path, [BotAsk("bot1")], WINDOW)).to_json()
    assert body["window"] == {"start": "2026-02-20T23:00:00Z", "end": "2026-02-21T00:00:00Z"}
    kpi = next(kpi for kpi in body["bots"][0]["kpis"] if kpi["name"] == "turnover_x")
    assert {name: kpi[name] for name in ("value", "limit", "status")} == {
        "value": 0.5,
        "limit": 3.0,
        "status": "pass",
    }


async def test_pictures_that_cannot_be_drawn_do_not_stop_the_figures(tmp_path: Path) -> None:
    """The folder for them is a file."""
    desk(tmp_path / "data")
    (tmp_path / "pictures").write_text("in the way")
    report = await build_digest(tmp_path / "data", [BotAsk("bot1")], WINDOW, pictures=tmp_path / "pictures")
    assert report.bots[0].verdict is KpiVerdict.MEETS
    assert report.pictures == ()
    assert "File exists" in report.problems[0]


async def test_a_temporary_folder_that_cannot_be_made_costs_the_pictures_and_not_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full, or read-only; where no pictures are wanted none is needed."""
    desk(tmp_path / "data")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    digests = CsvDigests(Desk.model_validate({"bots": [{"name": "bot1"}]}), tmp_path / "data")
    measured = await digests.measure(["bot1"], *WINDOW, pictures=True)
    assert measured.report.bots[0].verdict is KpiVerdict.MEETS
    assert measured.pictures == ()
    assert measured.report.problems == (
        "pictures could not be drawn: no temporary folder: No such file or directory",
    )
    assert (await digests.measure(["bot1"], *WINDOW)).report.problems == ()


async def test_pictures_that_take_too_long_do_not_stop_the_figures(tmp_path: Path) -> None:
    """Their own deadline ends them, and it is said."""
    desk(tmp_path / "data")
    report = await build_digest(
        tmp_path / "data", [BotAsk("bot1")], WINDOW, pictures=tmp_path / "p", picture_seconds=0.0
    )
    assert len(report.bots) == 1
    assert report.problems == ("pictures took longer than 0 s",)


async def test_one_bot_that_cannot_be_measured_does_not_stop_the_others(tmp_path: Path) -> None:
    """A name that is too long for a file."""
    desk(tmp_path)
    report = await build_digest(tmp_path, [BotAsk("b" * 300), BotAsk("bot1")], WINDOW)
    assert [bot.bot for bot in report.bots] == ["bot1"]
    assert report.unmeasured == ("b" * 300,)
    assert "bbb could not be measured: OSError" in report.problems[0]


class Killed:
    """A measuring process that says some of its lines, and is killed then."""

    def __init__(self, measurer: Child, told: int) -> None:
        self.stdin, self.last_errors, self.process = measurer.stdin, "", self
        self._measurer, self._told = measurer, told

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what it says in time."""
        said = self._measurer.lines()
        for _ in range(self._told):
            yield await anext(said)

    async def wait(self) -> int:
        """Return its exit code."""
        return -signal.SIGKILL


async def test_a_process_that_is_killed_in_its_measuring_holds_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what it had measured nothing is lost, of the rest nothing is claimed; alone it is an error of the source."""
    desk(tmp_path)
    told = 1

    @asynccontextmanager
    async def killed(module: str, *, nice: int = 0) -> AsyncIterator[Killed]:
        async with child(module, nice=nice) as measurer:
            yield Killed(measurer, told)

    monkeypatch.setattr(digest, "child", killed)
    report = await build_digest(tmp_path, [BotAsk("bot1"), BotAsk("bot2")], WINDOW)
    assert [bot.bot for bot in report.bots] == ["bot1"]
    assert report.unmeasured == ("bot2",)
    assert report.problems == ("the measuring process was killed (is the memory short?)",)
    told = 0
    with pytest.raises(SourceBadAnswer, match="was killed"):
        await build_digest(tmp_path, [BotAsk("bot1")], WINDOW)


async def test_a_file_without_an_end_costs_only_its_own_bot(tmp_path: Path) -> None:
    """A bot may make its file as large as it likes, with nothing in it: the others are measured."""
    desk(tmp_path)
    os.truncate(folder_of(tmp_path, "bot1") / "minute.csv", 10**12)
    report = await build_digest(tmp_path, [BotAsk("bot1"), BotAsk("bot2")], WINDOW, bot_seconds=0.5)
    assert [(bot.bot, bot.coverage.present) for bot in report.bots] == [("bot2", 30)]
    assert report.unmeasured == ("bot1",)
    assert "bot1 could not be measured" in report.problems[0]
    assert "not read within 0.5 s" in report.problems[0]


async def test_rows_that_cannot_be_read_are_not_called_unwritten(tmp_path: Path) -> None:
    """A writer that stamps its rows in another way wrote them all the same."""
    lines = [
        each.replace(each.partition(",")[0], f"minute {n}", 1) for n, each in enumerate(rows(range(60), 36))
    ]
    write(folder_of(tmp_path, "bot1") / "minute.csv", H36, lines)
    report = await build_digest(tmp_path, [BotAsk("bot1")], WINDOW)
    said = verdict_line(report.bots[0]).text
    assert said == "hold: not a single row could be read (no timestamp \u00d760)"


async def test_a_bot_without_files_is_reported_as_not_measured(tmp_path: Path) -> None:
    """Nothing is known, and where it was looked for is said."""
    desk(tmp_path)
    report = await build_digest(tmp_path, [BotAsk("bot9", "a")], WINDOW)
    assert report.bots[0].coverage.notes == ("no minute*.csv below bot9/logs/epp_v24/",)
    assert report.bots[0].verdict is KpiVerdict.HOLD


async def test_the_configured_variant_counts_and_others_are_told(tmp_path: Path) -> None:
    """The other one wrote more; its drawdown holds the bot."""
    write(folder_of(tmp_path, "bot1", "a") / "minute.csv", H36, rows(range(40), 36, **GOOD))
    write(
        folder_of(tmp_path, "bot1", "b") / "minute.csv", H36, rows(range(60), 36, drawdown_pct="0.04", **GOOD)
    )
    report = (await build_digest(tmp_path, [BotAsk("bot1", "a")], WINDOW)).bots[0]
    assert (report.variant, report.coverage.present) == ("a", 40)
    assert [other.variant for other in report.others] == ["b"]
    assert any(text.startswith("variant b, drawdown_pct") for text in report.held_by)
    unnamed = (await build_digest(tmp_path, [BotAsk("bot1", "c")], WINDOW)).bots[0]
    assert unnamed.variant == "b"
    assert (await build_digest(tmp_path, [BotAsk("bot1")], WINDOW)).bots[0].variant == "b"


@pytest.mark.slow
async def test_a_month_is_measured_by_two_processes_as_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shared out or not, the figures are the same."""
    desk(tmp_path)
    write(folder_of(tmp_path, "bot3") / "minute.csv", H33, [row(MIDNIGHT - timedelta(days=3))])
    asks, month = [BotAsk(f"bot{n}") for n in (1, 2, 3)], (MIDNIGHT - timedelta(days=30), MIDNIGHT)
    two = await build_digest(tmp_path, asks, month)
    monkeypatch.setattr("bot.sources.minute_csv.digest._ONE_PROCESS", 10**9)
    one = await build_digest(tmp_path, asks, month)
    assert one.bots == two.bots
    assert [bot.coverage.present for bot in one.bots] == [60, 30, 1]


@pytest.mark.slow
async def test_the_event_loop_is_free_meanwhile(tmp_path: Path) -> None:
    """The loop goes round again and again while the digest is built (how late it may be, `bench.digest` says)."""
    desk(tmp_path)
    digest = asyncio.create_task(
        build_digest(tmp_path, [BotAsk("bot1")] * 20, WINDOW, pictures=tmp_path / "p")
    )
    rounds = 0
    while not digest.done():
        await asyncio.sleep(0.005)
        rounds += 1
    assert (await digest).bots
    assert rounds >= 10


async def test_a_data_folder_that_is_not_there_is_named_with_the_mend(tmp_path: Path) -> None:
    """The setting is in the text."""
    with pytest.raises(SourceUnreachable, match=r"nowhere cannot be read .*paths\.data"):
        await build_digest(tmp_path / "nowhere", [BotAsk("bot1")], WINDOW)


async def test_a_digest_ends_with_its_time(tmp_path: Path) -> None:
    """And leaves no process behind. Until one ends in time, ``/readyz`` says so."""
    desk(tmp_path)
    with pytest.raises(SourceTimeout, match="not measured within 0 s"):
        await build_digest(tmp_path, [BotAsk("bot1")], WINDOW, seconds=0.0, pictures=tmp_path / "p")
    assert FOLDERS.problem() == "reading the bots' files for a digest had no end within 0 s"
    await build_digest(tmp_path, [BotAsk("bot1")], WINDOW)
    assert FOLDERS.problem() == ""


async def test_a_link_in_the_place_of_a_variants_folder_leads_nowhere(tmp_path: Path) -> None:
    """Not to another bot's files, nor to a folder of names without end, nor to be taken for a bot."""
    data = tmp_path / "data"
    desk(data)
    (data / "bot1/logs/epp_v24/bot1_b").symlink_to(data / "bot2/logs/epp_v24/bot2_d")
    (data / "bot3").mkdir()
    (data / "bot3/logs").symlink_to(data / "bot2/logs")
    folder = data / "bot1/logs/epp_v24/bot1_b"
    assert csv_files(folder, "minute") == []
    assert bots(data) == ("bot1", "bot2")
    report = await build_digest(data, [BotAsk("bot1"), BotAsk("bot3")], WINDOW)
    assert report.bots[0].others == ()
    assert report.bots[1].coverage.present == 0


async def test_a_window_that_ends_first_is_refused(tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(ValueError, match="not after"):
        await build_digest(tmp_path, [BotAsk("bot1")], (MIDNIGHT, START))
