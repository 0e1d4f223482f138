"""Quiet hours, the rota, overrides and the reminder of who acknowledged, by a desk.yaml, as Slack shows them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.desk_file import read_desk
from bot.store import SqlStore
from bot.wiring.paging import paging_jobs
from demo.slack import AppConfig, SlackServer
from tests.bot.slack.workbench import Bench, bench_on
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.model import Severity
from triage.paging.oncall import Override, set_override

pytestmark = pytest.mark.slow
ANA, BEN, CYD, DEE, GROUP = "U0ANA00001", "U0BEN00001", "U0CYD00001", "U0DEE00001", "S0DESK0001"
DESK_YAML = """
escalation:
  steps:
    - {after_minutes: 5, mention: [oncall]}
    - {after_minutes: 15, mention: [oncall]}
    - {after_minutes: 25, mention: [oncall, S0DESK0001]}
  quiet_hours: {start: 03:30, end: 11:30, timezone: Asia/Kolkata, severities: [Sev-1]}   # 22:00 to 06:00 UTC
  remind_acknowledged_minutes: 60
  gather_minutes: 0
oncall:
  rota: {people: [U0ANA00001, U0BEN00001], starts: STARTS, handover: 11:40, timezone: Asia/Kolkata}   # 06:10 UTC
"""


class Night:
    """A desk with a clock that the test moves, and a sender that brings what is owed to Slack."""

    def __init__(self, bench: Bench, desk: Desk) -> None:
        self.bench, self.desk, self.story = bench, desk, Story(bench.store, desk=desk)
        self.story.clock.moment = self.story.clock.moment.replace(hour=2, minute=0, second=0)

    def when(self, clock: str) -> datetime:
        """Return that time of the day."""
        hour, minute = map(int, clock.split(":"))
        return self.story.clock.moment.replace(hour=hour, minute=minute)

    async def override(self, person: str, until: str) -> None:
        """Put somebody on call, as /triage oncall does."""
        override = Override(person, self.when(until), ANA)
        await self.bench.store.write(lambda tx: set_override(tx, override, self.story.clock.moment))

    async def at(self, clock: str) -> list[str]:
        """Let it be that time, look as a process that just started, and return whom the thread has mentioned so far."""
        self.story.clock.moment = self.when(clock)
        escalation, *_ = paging_jobs(self.bench.store, self.desk, self.story.clock, {}, self.bench.bell.ring)
        await escalation.call()
        self.bench.bell.ring()
        await self.bench.settled()
        [card] = [one for one in self.bench.cards() if one.metadata]
        said = json.dumps([line.blocks for line in self.bench.slack.thread(card)])
        return re.findall(r'"user(?:group)?_id": "(\w+)"', said)


@pytest.fixture
async def night(sqlite_store: SqlStore, tmp_path: Path) -> AsyncIterator[Night]:
    """Run a sender on our own Slack, with a rota whose second turn begins at 06:10 of the story's day."""
    starts = Story(sqlite_store).clock.moment.date() - timedelta(days=7)
    (tmp_path / "desk.yaml").write_text(DESK_YAML.replace("STARTS", str(starts)), encoding="utf-8")
    async with (
        SlackServer(AppConfig()) as slack,
        bench_on(sqlite_store, slack) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        yield Night(bench, read_desk("desk.yaml", tmp_path))
        bench.sender.stop()


async def test_the_night_is_quiet_the_morning_goes_step_by_step_and_who_took_it_is_reminded(
    night: Night,
) -> None:
    """It came at 02:00 in quiet hours that end at six; the rota hands over at 06:10; it is taken at 06:16."""
    await night.story.fire("BotHardStopActive", severity=Severity.SEV1)
    for clock in ("02:30", "05:59", "06:04"):
        assert await night.at(clock) == []
    assert await night.at("06:05") == [ANA]
    assert await night.at("06:14") == [ANA]
    assert await night.at("06:15") == [ANA, BEN]
    await night.story.acknowledge(1, BEN)
    assert await night.at("07:10") == [ANA, BEN]
    assert await night.at("07:15") == [ANA, BEN, BEN]
    assert await night.at("07:16") == [ANA, BEN, BEN]
    await night.story.clear("BotHardStopActive")
    assert await night.at("12:00") == [ANA, BEN, BEN]


async def test_overrides_that_overlap_are_the_last_one_and_then_the_rota_again(night: Night) -> None:
    """Whoever was put on call last is mentioned until that ends, and no earlier override comes back; the group is third."""
    await night.story.fire("BotHardStopActive", severity=Severity.SEV1)
    assert await night.at("05:50") == []
    await night.override(CYD, until="09:00")
    await night.override(DEE, until="06:20")
    assert await night.at("06:05") == [DEE]
    assert await night.at("06:15") == [DEE, DEE]
    assert await night.at("06:25") == [DEE, DEE, BEN, GROUP]
    assert await night.at("08:00") == [DEE, DEE, BEN, GROUP]
