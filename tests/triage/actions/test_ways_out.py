"""The way out of degraded mode is offered where it is needed, until somebody took it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.store import open_store
from tests.triage.incidents.desk_story import Story
from triage.actions.completion import finish
from triage.actions.degraded import begun, redis_came_back
from triage.actions.proposals import follow_up, propose
from triage.actions.view import offers_of
from triage.desk import Desk
from triage.model import ActionProposal
from triage.plans.record import ActionRecord, ActionStatus
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

    async with open_store(f"sqlite:///{tmp_path / 'triage.db'}") as store:
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


async def test_redis_came_back_only_where_its_own_alert_cleared_since(tmp_path: Path) -> None:
    """On the incident that degraded mode belongs to; while one of Redis' alerts fires anywhere, and before, it did not."""
    async with open_store(f"sqlite:///{tmp_path / 'triage.db'}") as store:
        story = Story(store)
        story.clock.moment = NOW
        await story.fire("BotSoftPauseTooLong")
        await story.fire("RedisDown", "hbot-redis")
        await story.fire("RedisSlow", "hbot-redis")
        paused, redis = await story.incidents()
        await story.clear("RedisSlow", "hbot-redis")
        story.clock.jump(timedelta(minutes=1))

        def enter(tx: Tx) -> None:
            proposal = ActionProposal("degraded_mode", "desk", "Redis is down")
            record = propose(tx, story.desk, proposal, by="U1", now=story.clock.now(), incident_id=paused.id)
            begun(tx, record, story.clock.now())

        async def came_back() -> tuple[bool, bool]:
            return await store.read(lambda tx: (redis_came_back(tx, paused), redis_came_back(tx, redis)))

        assert await came_back() == (False, False), "degraded mode is off"
        await store.write(enter)
        story.clock.jump(timedelta(minutes=1))
        assert await came_back() == (False, False), "RedisDown fires"
        await story.clear("RedisDown", "hbot-redis")
        assert await came_back() == (True, False)
        await story.fire("RedisReadOnly", "hbot-redis")
        assert await came_back() == (False, False), "it answers and takes no writes"


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

    async with open_store(f"sqlite:///{tmp_path / 'triage.db'}") as store:
        assert await store.write(prepare) == ()
