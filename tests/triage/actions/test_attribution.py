"""What our own actions make a container do is told as ours, and what a container does by itself is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.store import SqlStore
from tests.fakes.sources import NOW
from triage.actions.attribution import action_behind, described_as_ours
from triage.desk import Desk
from triage.diagnosis.checks.base import OwnAct
from triage.plans.record import ActionRecord, ActionStatus

RECORD = ActionRecord(
    kind="clear_cache", target="bot1", why="why", proposed_by="verdict", proposed_at=NOW, expires_at=NOW, changed_at=NOW,
    status=ActionStatus.SUCCEEDED, started_at=NOW, finished_at=NOW + timedelta(seconds=30),
)  # fmt: skip


@pytest.mark.parametrize(
    ("container", "seconds", "ours"),
    [
        ("hbot-bot1", 5, True),
        ("hbot-bot1", 45, True),
        ("hbot-bot1", 120, False),
        ("hbot-bot1", -30, False),
        ("hbot-bot2", 5, False),
    ],
)
async def test_an_action_covers_its_target_while_it_works(
    sqlite_store: SqlStore, container: str, seconds: int, *, ours: bool
) -> None:
    """Its container, from its start to shortly after its end."""
    await sqlite_store.write(lambda tx: tx.actions.add(RECORD))
    at = NOW + timedelta(seconds=seconds)
    found = await sqlite_store.read(lambda tx: action_behind(tx, Desk(), container, at))
    assert (found is not None) is ours


async def test_an_action_on_the_desk_covers_every_container(sqlite_store: SqlStore) -> None:
    """Degraded mode stops services that its target does not name; a proposal touches nothing."""
    desk = replace(RECORD, kind="degraded_mode", target="desk")
    await sqlite_store.write(lambda tx: tx.actions.add(replace(desk, status=ActionStatus.PROPOSED)))
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-redis", NOW)) is None
    await sqlite_store.write(lambda tx: tx.actions.add(desk))
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-redis", NOW)) is not None


async def test_an_action_that_touches_no_container_covers_none(sqlite_store: SqlStore) -> None:
    """A bot that somebody stops while a pause of ours is under way was not stopped by us."""
    await sqlite_store.write(lambda tx: tx.actions.add(replace(RECORD, kind="soft_pause")))
    await sqlite_store.write(lambda tx: tx.actions.add(replace(RECORD, kind="kill_switch")))
    await sqlite_store.write(
        lambda tx: tx.actions.add(replace(RECORD, kind="start_monitoring", target="desk"))
    )
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-bot1", NOW)) is None
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-prometheus", NOW)) is not None


async def test_an_action_covers_a_time_that_it_can_have_worked(sqlite_store: SqlStore) -> None:
    """That its outcome is not known was found out a day later; proposals of the meantime hide nothing."""
    lost = replace(RECORD, status=ActionStatus.UNKNOWN, finished_at=NOW + timedelta(days=1))
    await sqlite_store.write(lambda tx: tx.actions.add(lost))
    for _ in range(60):
        await sqlite_store.write(lambda tx: tx.actions.add(replace(RECORD, status=ActionStatus.EXPIRED)))
    soon, late = NOW + timedelta(minutes=5), NOW + timedelta(hours=1)
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-bot1", soon)) is not None
    assert await sqlite_store.read(lambda tx: action_behind(tx, Desk(), "hbot-bot1", late)) is None


def test_the_words_name_the_action() -> None:
    """Nobody looks for the person who stopped it."""
    act = OwnAct("Clear cache on bot1", frozenset({"hbot-bot1"}), NOW)
    assert described_as_ours("hbot-bot1 was stopped by hand (exit code 0)", act) == (
        "hbot-bot1 was stopped by Clear cache on bot1 (exit code 0)"
    )
    assert described_as_ours("hbot-bot1 started", act) == "hbot-bot1 started (by Clear cache on bot1)"
