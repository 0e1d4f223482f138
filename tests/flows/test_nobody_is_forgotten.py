"""Quiet hours and the reminder of who acknowledged, as Slack shows them: from the alert to the mention in the channel."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest

from bot.store import SqlStore
from demo.slack import AppConfig, SlackServer
from schedules.escalation import EscalationJob
from tests.bot.slack.workbench import Bench, bench_on
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.model import Severity

pytestmark = pytest.mark.slow
ANA, BEN = "U0ANA00001", "U0BEN00001"
DESK = Desk.model_validate(
    {
        "escalation": {
            "steps": [{"after_minutes": 5, "mention": [ANA]}, {"after_minutes": 15, "mention": [BEN]}],
            "quiet_hours": {"start": "22:00", "end": "06:00", "severities": ["Sev-1"]},
            "remind_acknowledged_minutes": 60,
            "gather_minutes": 0,
        }
    }
)


class Night:
    """A desk with a clock that the test moves, and a sender that brings what is owed to Slack."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.story = bench, Story(bench.store, desk=DESK)
        self.story.clock.moment = self.story.clock.moment.replace(hour=2, minute=0, second=0)

    async def at(self, clock: str) -> list[str]:
        """Let it be that time, look as a process that just started, and return whom the thread has mentioned so far."""
        hour, minute = map(int, clock.split(":"))
        self.story.clock.moment = self.story.clock.moment.replace(hour=hour, minute=minute)
        await EscalationJob(
            store=self.bench.store, desk=DESK, clock=self.story.clock, channels=(), told=self.bench.bell.ring
        ).run()
        self.bench.bell.ring()
        await self.bench.settled()
        [card] = [one for one in self.bench.cards() if one.metadata]
        said = json.dumps([line.blocks for line in self.bench.slack.thread(card)])
        return re.findall(r'"user_id": "(\w+)"', said)


@pytest.fixture
async def night(sqlite_store: SqlStore) -> AsyncIterator[Night]:
    """Run a sender on our own Slack."""
    async with (
        SlackServer(AppConfig()) as slack,
        bench_on(sqlite_store, slack) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(bench.sender.run())
        yield Night(bench)
        bench.sender.stop()


async def test_the_night_is_quiet_the_morning_goes_step_by_step_and_who_took_it_is_reminded(
    night: Night,
) -> None:
    """It came at 02:00 in quiet hours that end at six; taken at 06:16, it is still firing at noon."""
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
