"""The table of jobs: cron means what cron means, and a wrong expression is said at the start."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loguru import logger

from bot.settings import load_settings
from schedules.table import Job, running, trigger_of
from triage.errors import SettingError


async def nothing() -> None:
    """Do nothing."""


def test_a_weekday_by_number_is_crons_weekday() -> None:
    """1 is Monday: the scheduler's own reading would take it for Tuesday."""
    trigger = trigger_of(Job("weekly", nothing, cron="0 9 * * 1"))
    saturday = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)
    first = trigger.get_next_fire_time(None, saturday)
    assert first == datetime(2026, 2, 23, 9, 0, tzinfo=UTC)
    assert trigger.get_next_fire_time(first, first) == first + timedelta(days=7)


def test_a_job_that_is_due_this_very_minute_is_due() -> None:
    """Now counts, when nothing ran before."""
    trigger = trigger_of(Job("daily", nothing, cron="5 0 * * *"))
    at = datetime(2026, 2, 21, 0, 5, tzinfo=UTC)
    assert trigger.get_next_fire_time(None, at) == at


def test_a_wrong_expression_names_its_setting_and_the_mend() -> None:
    """The error is one line for the person who wrote it."""
    with pytest.raises(SettingError, match=r"schedules.weekly: '0 9 \* \*' is no cron expression"):
        trigger_of(Job("weekly", nothing, cron="0 9 * *"))


def test_desk_yaml_with_a_wrong_expression_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with the setting, the problem and the mend."""
    file = tmp_path / "desk.yaml"
    file.write_text('schedules: {digest: "61 0 * * *"}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_DESK", str(file))
    with pytest.raises(SettingError, match=r"schedules.digest.*bad minute.*write for"):
        load_settings()


async def test_a_stop_right_after_the_start_is_no_failure_of_the_jobs_that_were_due(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The scheduler takes a job that is cut off before it began for one that failed: an error and a traceback each."""
    jobs = [Job(f"job {number}", nothing, seconds=60, at_start=True) for number in range(3)]
    with caplog.at_level(logging.ERROR):
        async with running(jobs, beat=lambda _: None, failed=lambda *_: None) as scheduler:
            assert len(scheduler.get_jobs()) == 3
        await asyncio.sleep(0.05)
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_job_that_fails_at_each_run_logs_its_traceback_once() -> None:
    """Then a line that counts; what fails otherwise, or again after a good run, is told whole."""
    runs, said = 0, list[tuple[str, bool]]()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs in {1, 2, 3, 6}:
            raise ZeroDivisionError
        if runs == 4:
            raise KeyError
        await nothing()

    sink = logger.add(
        lambda message: said.append((message.record["message"], message.record["exception"] is not None)),
        level="INFO",
        filter=lambda record: "job work" in record["message"],
    )
    ended = asyncio.Event()

    def beat(_: str) -> None:
        if runs > 6:
            ended.set()

    try:
        job = Job("work", work, seconds=0.02, at_start=True)
        async with running([job], beat=beat, failed=lambda *_: None):
            await asyncio.wait_for(ended.wait(), 20)
    finally:
        logger.remove(sink)
    assert said[:7] == [
        ("job work failed", True),
        ("job work failed 2 times in a row: ZeroDivisionError", False),
        ("job work failed 3 times in a row: ZeroDivisionError", False),
        ("job work failed", True),
        ("job work works again", False),
        ("job work failed", True),
        ("job work works again", False),
    ]
