"""The way out of degraded mode is offered where it is needed, until somebody took it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import open_store
from schedules.tidying import TidyingJob
from tests.schema import with_schema
from tests.triage.incidents.desk_story import Story
from triage.actions.completion import finish, verified
from triage.actions.degraded import begun, redis_came_back
from triage.actions.incident_of_action import incident_about
from triage.actions.proposals import follow_up, propose
from triage.actions.view import offers_of, view_action
from triage.desk import Desk
from triage.model import ActionProposal, IncidentStatus, Severity
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import Verification, VerificationOutcome
from triage.plans.verification_words import verified_words
from triage.ports.store import Tx

NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)


async def test_the_way_out_that_somebody_took_ends_everywhere(tmp_path: Path) -> None:
    """Two incidents offer it; one succeeds, the other's button must not be there any more."""
    desk, way_out = Desk(), ActionProposal("exit_degraded_mode", "desk", "the way out")

    def prepare(tx: Tx) -> tuple[ActionRecord, ActionRecord, ActionRecord]:
        first = propose(tx, desk, way_out, by="action", now=NOW)
        second = propose(tx, desk, replace(way_out, arguments={"from": "another"}), by="action", now=NOW)
        other = propose(tx, desk, ActionProposal("recreate", "bot1", "asked for"), by="U1", now=NOW)
        return first, second, other

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        first, second, other = await store.write(prepare)
        running = replace(first, status=ActionStatus.RUNNING, started_at=NOW)
        await store.write(lambda tx: finish(tx, desk, running, ActionStatus.FAILED, outcome="no", now=NOW))
        assert await store.read(lambda tx: _status(tx, second)) is ActionStatus.PROPOSED
        await store.write(
            lambda tx: finish(tx, desk, running, ActionStatus.SUCCEEDED, outcome="done", now=NOW)
        )
        assert await store.read(lambda tx: _status(tx, second)) is ActionStatus.EXPIRED
        assert await store.read(lambda tx: _status(tx, other)) is ActionStatus.PROPOSED


def _status(tx: Tx, record: ActionRecord) -> ActionStatus:
    found = tx.actions.get(record.id)
    assert found is not None
    return found.status


async def test_a_soft_pause_offers_to_resume_until_somebody_did(tmp_path: Path) -> None:
    """In its own message, as its undo; a resume of that bot takes it back, of another does not."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        await story.fire("BotLogErrorSpike")
        incident = (await story.incident()).id

        def pause(tx: Tx) -> list[int]:
            return [succeeded(tx, story, "soft_pause", bot, incident).id for bot in ("bot1", "bot2")]

        pauses = await store.write(pause)

        def offered(tx: Tx) -> list[tuple[str, str]]:
            views = [view_action(tx, one) for one in pauses]
            return [
                (each.kind, each.target) for view in views if view is not None for each in view.follow_ups
            ]

        assert await store.read(offered) == [("resume", "bot1"), ("resume", "bot2")]
        await store.write(lambda tx: succeeded(tx, story, "resume", "bot1", incident))
        assert await store.read(offered) == [("resume", "bot2")]


async def test_redis_came_back_only_where_its_own_alert_cleared_since(tmp_path: Path) -> None:
    """While one of Redis' alerts fires anywhere, and before degraded mode was entered, it did not."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("BotSoftPauseTooLong")
        await story.fire("RedisDown", "hbot-redis")
        await story.fire("RedisSlow", "hbot-redis")
        await story.clear("RedisSlow", "hbot-redis")
        story.clock.jump(timedelta(minutes=1))

        async def came_back() -> bool:
            return await store.read(redis_came_back)

        assert not await came_back(), "degraded mode is off"
        await enter(story, None)
        story.clock.jump(timedelta(minutes=1))
        assert not await came_back(), "RedisDown fires"
        await story.clear("RedisDown", "hbot-redis")
        assert await came_back()
        await story.fire("RedisReadOnly", "hbot-redis")
        assert not await came_back(), "it answers and takes no writes"


async def enter(story: Story, incident_id: int | None) -> ActionRecord:
    """Enter degraded mode on an incident, or on none."""

    def work(tx: Tx) -> ActionRecord:
        proposal = ActionProposal("degraded_mode", "desk", "Redis is down")
        now = story.clock.now()
        record = propose(tx, story.desk, proposal, by="U1", now=now, incident_id=incident_id)
        begun(tx, record, now)
        return record

    return await story.store.write(work)


def succeeded(tx: Tx, story: Story, kind: str, target: str, incident_id: int) -> ActionRecord:
    """Let an action of an incident be asked for, run and succeed, all at the story's time."""
    now = story.clock.now()
    record = propose(
        tx, story.desk, ActionProposal(kind, target, "asked for"), by="U1", now=now, incident_id=incident_id
    )
    running = replace(record, status=ActionStatus.RUNNING, started_at=now)
    return finish(tx, story.desk, running, ActionStatus.SUCCEEDED, outcome="done", now=now)


async def leave(story: Story, incident_id: int, *, trades: bool) -> None:
    """Leave it; verified with bots that trade, or do not."""
    outcome = VerificationOutcome.RECOVERED if trades else VerificationOutcome.EFFECTIVE

    def work(tx: Tx) -> None:
        now, done = story.clock.now(), succeeded(tx, story, "exit_degraded_mode", "desk", incident_id)
        assert done.verify_until is not None
        verified(tx, story.desk, done, Verification(outcome, now, (), trades=trades), done.verify_until)

    await story.store.write(work)


async def test_an_incident_is_not_over_while_its_degraded_mode_is_on(tmp_path: Path) -> None:
    """Its alerts clear and it stays open; it resolves when degraded mode is left and the bots trade."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("RedisDown", "hbot-redis", severity=Severity.SEV1)
        [redis] = await story.incidents()
        await enter(story, redis.id)
        story.clock.jump(timedelta(minutes=1))
        await story.clear("RedisDown", "hbot-redis")
        assert (await story.incident(redis.id)).is_open
        assert "RedisDown on hbot-redis resolved; the incident stays open until degraded mode is left" in (
            await story.told(redis.id)
        )
        story.clock.jump(timedelta(days=1))
        tidying = TidyingJob(store, story.desk, story.clock)
        assert await tidying.run() == 0, "no silence makes it over"
        await leave(story, redis.id, trades=False)
        assert (await story.incident(redis.id)).is_open, "the bots stand"
        story.clock.jump(timedelta(hours=2))
        assert await tidying.run() == 0, "it is watched for bots that trade again"
        await leave(story, redis.id, trades=True)
        assert (await story.incident(redis.id)).status is IncidentStatus.RESOLVED
        assert "resolved: its alerts are over and degraded mode was left" in await story.told(redis.id)


async def test_an_alert_that_clears_after_the_way_out_resolves_nothing_before_the_bots_trade(
    tmp_path: Path,
) -> None:
    """The services are up, and whether the bots trade again is still looked at."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("RedisDown", "hbot-redis", severity=Severity.SEV1)
        await enter(story, 1)
        done = await store.write(lambda tx: succeeded(tx, story, "exit_degraded_mode", "desk", 1))
        await story.clear("RedisDown", "hbot-redis")
        assert (await story.incident()).is_open
        assert any("until it is known whether the bots trade again" in one for one in await story.told())
        well = Verification(VerificationOutcome.RECOVERED, NOW, (), trades=True)
        await store.write(lambda tx: verified(tx, story.desk, done, well, NOW + timedelta(hours=1)))
        assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_what_helps_one_bot_mitigates_no_incident_whose_degraded_mode_is_on(tmp_path: Path) -> None:
    """The bot trades again; the others wait for the external services."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("RedisDown", "hbot-redis", severity=Severity.SEV1)
        await enter(story, 1)

        def work(tx: Tx) -> None:
            done = succeeded(tx, story, "restart", "bot1", 1)
            well = Verification(VerificationOutcome.RECOVERED, NOW, (), trades=True)
            verified(tx, story.desk, done, well, NOW + timedelta(hours=1))

        await store.write(work)
        assert (await story.incident()).status is IncidentStatus.TRIGGERED


async def test_another_incident_is_over_with_its_alerts_whatever_mode_is_on(tmp_path: Path) -> None:
    """Only the one that degraded mode was entered on waits for it."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("HighDiskUsage", "node1")
        await enter(story, None)
        await story.clear("HighDiskUsage", "node1")
        assert (await story.incident()).status is IncidentStatus.RESOLVED


async def test_an_action_that_is_asked_for_by_name_joins_the_incident_that_it_is_about(
    tmp_path: Path,
) -> None:
    """Degraded mode is about the external services, the way out belongs where it was entered."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        story = Story(store)
        story.clock.moment = NOW
        desk = story.desk

        async def about(kind: str, target: str) -> int | None:
            return await store.read(lambda tx: incident_about(tx, desk, kind, target))

        await story.fire("ContainerDown", "hbot-redis")
        story.clock.jump(timedelta(minutes=30))
        await story.fire("BotHardStopActive", "bot1")
        redis, bot = (one.id for one in await story.incidents())
        assert await about("degraded_mode", "desk") == redis
        assert await about("restart", "bot1") == bot
        assert await about("restart", "bot3") is None
        await enter(story, bot)
        assert await about("exit_degraded_mode", "desk") == bot
        assert await about("degraded_mode", "desk") == bot, "its triage proposed it there"


async def test_the_undo_of_an_action_is_not_offered_as_the_remedy_it_undoes(tmp_path: Path) -> None:
    """It is a rollback too; pressed for the remedy, it would bring back what was broken."""
    desk = Desk()
    rollback = ActionProposal("rollback", "bot1", "the newest change broke it")

    def prepare(tx: Tx) -> tuple[ActionRecord, ...]:
        first = propose(tx, desk, rollback, by="verdict", now=NOW, incident_id=None)
        assert [one.id for one in offers_of(tx, [first])] == [first.id]
        done = replace(first, status=ActionStatus.SUCCEEDED, started_at=NOW, finished_at=NOW)
        tx.actions.save(done)
        undo = replace(rollback, why="undo: back to the state before the rollback")
        return offers_of(tx, [done, follow_up(tx, desk, done, undo, NOW)])

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        assert await store.write(prepare) == ()


async def test_a_look_that_comes_late_does_not_say_for_good_that_it_did_not_help(tmp_path: Path) -> None:
    """The machine stood still, and the bot with it: it is looked once more, and then it holds."""

    def work(tx: Tx) -> list[ActionRecord]:
        desk, proposal = Desk(), ActionProposal("recreate", "bot1", "asked for")
        record = replace(
            propose(tx, desk, proposal, by="U1", now=NOW), status=ActionStatus.RUNNING, started_at=NOW
        )
        done = finish(tx, desk, record, ActionStatus.SUCCEEDED, outcome="done", now=NOW)
        frozen = Verification(VerificationOutcome.PERSISTING, NOW, (), "bot1: frozen", trades=False)
        late = NOW + timedelta(hours=1)
        first = verified(tx, desk, done, frozen, late)
        return [first, verified(tx, desk, first, frozen, late + timedelta(hours=1))]

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        first, second = await store.write(work)
    assert first.looked_at_again
    assert verified_words(first).startswith("not well yet, looked at again until 13:00")
    assert verified_words(second) == "did not help"


@pytest.mark.parametrize(("over", "pause"), [(0, 2), (1, 2), (8, 8), (90, 20)])
async def test_an_action_that_has_just_ended_is_looked_at_again_soon(
    tmp_path: Path, over: float, pause: float
) -> None:
    """A bot that is well 3 s after it was made anew was told to be after 24: the second look came 20 s after the first."""

    def work(tx: Tx) -> ActionRecord:
        desk, proposal = Desk(), ActionProposal("recreate", "bot1", "asked for")
        record = replace(
            propose(tx, desk, proposal, by="U1", now=NOW), status=ActionStatus.RUNNING, started_at=NOW
        )
        done = finish(tx, desk, record, ActionStatus.SUCCEEDED, outcome="done", now=NOW)
        now = NOW + timedelta(seconds=over)
        return verified(tx, desk, done, Verification(VerificationOutcome.PERSISTING, now, ()), now)

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        looked = await store.write(work)
    assert looked.verify_at == NOW + timedelta(seconds=over + pause)
