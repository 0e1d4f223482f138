"""A row whose values are of a kind that nobody wrote: it costs only itself, what is read with it is read, and it is said.

Of SQLite alone: it keeps any type in any column, and text that is no UTF-8. PostgreSQL refuses all but JSON's shapes.
"""

from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from bot.store import SqlStore
from tests.contracts.store_samples import BOT2, NOW, episode, incident, later, line, open_incident, signal
from triage.errors import RecordUnreadable
from triage.ports.store import Tx

pytestmark = pytest.mark.slow
Read = Callable[[Tx], Sequence[object]]


def two_of_each(tx: Tx) -> None:
    """Store two incidents, and two of what belongs to them."""
    for number, changes in ((1, {}), (2, {"subjects": (BOT2,)})):
        saved = open_incident(tx, **changes)
        tx.incidents.put_episodes([episode(saved.id, f"e{number}")])
        tx.timeline.add(line(1, f"line {number}"))
    tx.signals.add([signal("s1"), signal("s2")])


def _texts(table: str, *columns: str) -> list[tuple[str, str, str]]:
    return [(table, column, "x'00ff'") for column in columns]


ODD = [
    *[("incidents", "subjects", f"'{odd}'") for odd in ("[]", "null", "5", "[[]]", '[["bot", 5]]', '{"bot": "bot1"}')],
    *_texts("incidents", "title", "name", "acknowledged_by", "resolved_by"),
    ("incidents", "opened_at", "'soon'"),
    *[("episodes", column, f"'{odd}'") for column in ("labels", "annotations") for odd in ("[]", "null", '{"a": 5}')],
    *_texts("episodes", "name", "subject_name", "generator_url"),
    *[("timeline", "data", f"'{odd}'") for odd in ("[]", "null", "5")],
    *_texts("timeline", "text", "actor", "source"),
    *[("messages", column, "'soon'") for column in ("wanted_revision", "sent_revision", "urgency", "attempts")],
    *_texts("messages", "channel", "post_id", "last_error"),
]  # fmt: skip
READS: dict[str, Read] = {
    "incidents": lambda tx: tx.incidents.open(),
    "episodes": lambda tx: tx.incidents.episodes([1, 2]),
    "timeline": lambda tx: tx.timeline.of(1),
    "messages": lambda tx: [found for one in (1, 2) if (found := tx.outbox.get(one))],
}


async def spoil(store: SqlStore, order: str) -> None:
    """Write what nobody writes."""
    await store.write(lambda tx: tx.connection.execute(sa.text(order)))  # type: ignore[attr-defined] # the SQL store's own


@pytest.mark.parametrize(("table", "column", "odd"), ODD)
async def test_a_value_of_another_kind_costs_its_own_row(
    sqlite_store: SqlStore, table: str, column: str, odd: str
) -> None:
    """It fails where it is read, and not later in what is about another row."""
    await sqlite_store.write(two_of_each)
    assert len(await sqlite_store.read(READS[table])) == 2
    await spoil(sqlite_store, f'UPDATE {table} SET "{column}" = {odd} WHERE id = 1')  # noqa: S608 - of the table above
    assert len(await sqlite_store.read(READS[table])) == 1
    assert f"among them 1 of {table}" in sqlite_store.health.records.problem()


async def test_a_message_of_another_kind_holds_up_no_other(sqlite_store: SqlStore) -> None:
    """The healthy one is claimed; the other one waits, and is tried again later."""
    await sqlite_store.write(two_of_each)
    await spoil(sqlite_store, "UPDATE messages SET wanted_revision = 'soon' WHERE id = 1")
    claimed = await sqlite_store.write(
        lambda tx: tx.outbox.claim(now=later(1), owner="me", lease_seconds=30, limit=10)
    )
    assert [message.id for message in claimed] == [2]


async def test_a_signal_of_another_kind_waits_alone(sqlite_store: SqlStore) -> None:
    """It is what the inbox isolates by: one by one the others are read."""
    await sqlite_store.write(two_of_each)
    await spoil(sqlite_store, "UPDATE signals SET data = '[]' WHERE id = 1")
    with pytest.raises(RecordUnreadable, match="data is no object of JSON"):
        await sqlite_store.read(lambda tx: tx.signals.waiting_one(1))
    other = await sqlite_store.read(lambda tx: tx.signals.waiting_one(2))
    assert other is not None
    assert other.signal.episode == "s2"


async def test_a_finding_of_another_kind_is_said_to_be_unreadable(sqlite_store: SqlStore) -> None:
    """The other findings of the run are shown, and that one is missing."""

    def work(tx: Tx) -> None:
        saved = tx.incidents.save(incident())
        tx.runs.queue(saved.id, reason="new", now=NOW)

    await sqlite_store.write(work)
    await spoil(sqlite_store, "UPDATE triage_runs SET status = 'done'")
    await spoil(
        sqlite_store,
        "INSERT INTO findings (run_id, name, status, headline, source, why, seconds, details, data) "
        "VALUES (1, 'a', 'ok', 'well', 's', '', 0.1, '[]', '{}'), (1, 'b', 'ok', 'well', 's', '', 0.1, '{}', '[]')",
    )
    run = await sqlite_store.read(lambda tx: tx.runs.latest(1))
    assert run is not None
    assert [each.headline for each in run.findings] == ["well", "1 of its findings cannot be read"]


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE incidents SET title = CAST(x'626f7431ff' AS TEXT), handle = CAST(x'ff' AS TEXT) WHERE id = 1",
        "UPDATE messages SET delivery_id = CAST(x'ff' AS TEXT), last_error = CAST(x'c328' AS TEXT) WHERE id = 1",
        "UPDATE episodes SET labels = CAST(x'7b2262223a22ff227d' AS TEXT) WHERE id = 1",
    ],
)
async def test_text_that_is_no_utf_8_stops_nothing(sqlite_store: SqlStore, order: str) -> None:
    """One bit of a text that turned over: it is read with a replacement character, and everything is read and claimed."""
    await sqlite_store.write(two_of_each)
    await spoil(sqlite_store, order)
    for table in ("incidents", "episodes", "messages"):
        assert len(await sqlite_store.read(READS[table])) == 2
    claimed = await sqlite_store.write(
        lambda tx: tx.outbox.claim(now=later(1), owner="me", lease_seconds=30, limit=10)
    )
    assert len(claimed) == 2
    assert sqlite_store.health.problem() == ""
