"""The digest of the running service: missed while the service was away, measured from real files, seen in Slack."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.store import open_store
from tests.flows.desk_files import write_desk, write_minutes
from tests.flows.harness import running_harness, shown
from tests.schema import with_schema
from triage.cron import Cron

Require = Callable[..., Path]
BOTS = ("bot1", "bot2", "bot3")
DIGESTS = "desk-digest"


async def test_a_digest_missed_while_away_comes_once_late_with_figures_and_pictures(
    require: Require, tmp_path: Path
) -> None:
    """The service was off when it was due: at its start the day is measured and posted; another start repeats nothing."""
    paths = write_desk(tmp_path / "desk", BOTS)
    # At whatever time the test runs, it was due an hour ago, for the 24 hours before.
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    due, start = end + timedelta(minutes=5), end - timedelta(days=1)
    cron = f"{due.minute} {due.hour} * * *"
    write_minutes(tmp_path / "desk" / "data", "bot1", start - timedelta(days=1), end)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        served = due - timedelta(days=1)
        note = f"{Cron.parse(cron).text} UTC|{served.isoformat()}"
        await store.write(lambda tx: tx.notes.put("schedule/digest", note))
    desk = {"paths": paths, "bots": [{"name": bot} for bot in BOTS], "schedules": {"digest": cron}}
    async with running_harness(require, tmp_path, desk=desk) as harness:
        await harness.until(lambda: harness.slack.messages(DIGESTS), "the digest", seconds=30)
        [top] = harness.slack.messages(DIGESTS)
        await harness.until(
            lambda: any(one.files for one in harness.slack.thread(top)), "the picture", seconds=30
        )
        text = shown(top)
        day = f"{start:%a %d %b %Y}" if end.hour == 0 else f"{start:%d %b %H:%M} to {end:%d %b %H:%M}"
        assert f"KPI digest {day}: hold" in text
        assert "hold: not a single minute was written" in text
        assert "late: it was due" in text
        await harness.bot.stop()
        await harness.bot.start()
        await harness.until(lambda: harness.bot.log().count("ready on") >= 2, "the second start")
        await asyncio.sleep(2)  # the job looks at once: a repetition would be there by now
        assert len(harness.slack.messages(DIGESTS)) == 1
