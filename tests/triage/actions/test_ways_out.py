"""The way out of degraded mode is offered where it is needed, until somebody took it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.store import open_store
from triage.actions.completion import finish
from triage.actions.proposals import propose
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
