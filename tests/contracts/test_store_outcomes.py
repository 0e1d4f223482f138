"""The store says what happened: stored, not stored, or that nobody knows; and runs nothing again that may be done."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from loguru import logger

from bot.store import SqlStore, database_errors, deadlines, open_store, probe, writer
from bot.store.health import GRANT
from tests.contracts.store_samples import NOW, line, signal
from tests.servers.cutting_proxy import cutting_proxy
from triage.errors import CommitUnknown, NotStored, StoreUnavailable
from triage.ports.store import Tx


def audited(tx: Tx) -> str:
    """Write a line that would show a second run: no key keeps it from being doubled."""
    tx.audit.append(at=NOW, actor="U1", event="pressed", target="INC-1")
    return "pressed"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(100):
        if holds():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it does not hold after 5 s")


async def lines(store: SqlStore) -> int:
    """Count the lines of the audit trail."""
    return len(await store.read(lambda tx: tx.audit.entries()))


async def test_a_lost_answer_to_commit_is_asked_for_and_nothing_runs_twice(postgres_copy_url: str) -> None:
    """The server committed, the connection broke before it said so: the unit's answer is its answer, once."""
    async with cutting_proxy(postgres_copy_url) as proxy, open_store(proxy.url) as store:
        proxy.cut = 1
        assert await store.write(audited) == "pressed"
        assert proxy.commits == 1
        assert await lines(store) == 1


async def test_a_commit_that_never_arrived_is_not_stored(postgres_copy_url: str) -> None:
    """The connection broke on the way there: the server says that it knows of none, and so do we."""
    async with cutting_proxy(postgres_copy_url) as proxy, open_store(proxy.url) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
        proxy.cut, proxy.reach = 1, False
        with pytest.raises(NotStored):
            await store.write(audited)
        assert await lines(store) == 0
        assert await store.write(audited) == "pressed"
        assert await lines(store) == 1


async def test_nobody_knows_where_the_server_is_away_after_the_commit(
    postgres_copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a batch are told that the outcome is unknown, and none of them runs again."""
    monkeypatch.setattr(probe, "ASK_SECONDS", 0.3)
    async with cutting_proxy(postgres_copy_url) as proxy, open_store(proxy.url) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
        proxy.cut, proxy.refusing = 1, True
        answers = await asyncio.gather(*(store.write(audited) for _ in range(3)), return_exceptions=True)
        assert any(isinstance(each, CommitUnknown) for each in answers)
        assert all(isinstance(each, StoreUnavailable) for each in answers)
        proxy.refusing = False
        assert await lines(store) == sum(isinstance(each, CommitUnknown) for each in answers)


async def test_a_server_that_takes_the_question_and_stands_still_is_not_waited_for(
    postgres_copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of the COMMIT is asked for within a time; the writer is free again after it."""
    monkeypatch.setattr(probe, "ASK_SECONDS", 0.3)
    monkeypatch.setattr(deadlines, "LOOK_SECONDS", 0.1)
    async with cutting_proxy(postgres_copy_url) as proxy, open_store(proxy.url) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
        proxy.cut, proxy.unanswered = 1, b"txid_status"
        began = time.monotonic()
        with pytest.raises(CommitUnknown):
            await store.write(audited, within=10)
        assert time.monotonic() - began < 5
        proxy.unanswered = b""
        assert await lines(store) == 1


async def test_a_server_that_stands_still_is_said_in_time_and_never_stores_afterwards(
    postgres_copy_url: str,
) -> None:
    """A webhook's 503 comes within 6 s; what was said to be not stored is not stored when the server wakes."""
    async with cutting_proxy(postgres_copy_url) as proxy, open_store(proxy.url) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
        proxy.frozen = True
        began = time.monotonic()
        with pytest.raises(NotStored):
            await store.keep([signal("frozen")])
        assert time.monotonic() - began < 6
        proxy.frozen = False
        assert await store.keep([signal("after")]) == 1
        kept = await store.read(lambda tx: tx.signals.inbox(9))
        assert [each.signal.episode for each in kept] == [signal("after").episode]


async def test_a_unit_that_is_being_run_when_its_time_is_over_is_not_committed(
    store: SqlStore,
) -> None:
    """The person was told that nothing was done: then nothing is done, and the batch's others are."""

    def slow(tx: Tx) -> None:
        tx.notes.put("slow", "there")
        time.sleep(1)

    with pytest.raises(NotStored, match="did not commit within"):
        await store.write(slow, within=0.3)
    await store.write(lambda tx: tx.notes.put("next", "there"))
    assert await store.read(lambda tx: (tx.notes.get("slow"), tx.notes.get("next"))) == (None, "there")


async def test_what_keeps_the_store_is_said_and_not_who_waited_for_it(sqlite_store: SqlStore) -> None:
    """Each that waited in vain quoted the one before it, and the database's own word was gone."""
    with sqlite3.connect(sqlite_store.writer.engine.url.database or "", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        sqlite_store.writer.health.failed(sa.exc.OperationalError("", {}, Exception("database is locked")))
        for _ in range(2):
            with pytest.raises(NotStored) as late:
                await sqlite_store.write(audited, within=0.2)
            assert str(late.value).count("did not commit") == 1
        assert sqlite_store.writer.health.problem().endswith(" s: database is locked")
        other.execute("ROLLBACK")


async def test_a_unit_whose_commit_was_sent_when_its_time_is_over_is_unknown(
    sqlite_store: SqlStore,
) -> None:
    """The disk takes longer than the one who waits: nobody says "not stored" of what is stored a moment later."""
    sa.event.listen(sqlite_store.writer.engine, "commit", lambda _: time.sleep(0.8), once=True)
    with pytest.raises(CommitUnknown):
        await sqlite_store.write(audited, within=0.3)
    await sqlite_store.write(lambda tx: tx.notes.put("next", "there"))
    assert await lines(sqlite_store) == 1


def _corrupt(error: str, code: int, name: str) -> Callable[..., Any]:
    raised: list[bool] = []

    def fail(*_: object) -> None:
        if raised:
            return
        raised.append(True)
        found = sqlite3.DatabaseError(error)
        found.sqlite_errorcode, found.sqlite_errorname = code, name
        raise sa.exc.DatabaseError("statement", {}, found)

    return fail


async def test_a_commit_that_the_disk_did_not_confirm_is_unknown_and_one_it_refused_is_not_stored(
    sqlite_store: SqlStore,
) -> None:
    """A full disk says no; an fsync that failed says nothing."""
    engine = sqlite_store.writer.engine
    sa.event.listen(engine, "commit", _corrupt("disk I/O error", 1034, "SQLITE_IOERR_FSYNC"))
    with pytest.raises(CommitUnknown):
        await sqlite_store.write(audited)
    sa.event.listen(engine, "commit", _corrupt("database or disk is full", 13, "SQLITE_FULL"))
    with pytest.raises(NotStored):
        await sqlite_store.write(audited)
    assert sqlite_store.health.problem() != ""
    await sqlite_store.write(audited)
    assert sqlite_store.health.problem() == ""
    assert await lines(sqlite_store) == 1


async def test_a_failed_store_is_tried_by_itself(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes while webhooks are refused; that there is room again is found out all the same."""
    monkeypatch.setattr(writer, "PROBE_SECONDS", 0.2)
    engine = sqlite_store.writer.engine
    sa.event.listen(engine, "commit", _corrupt("database or disk is full", 13, "SQLITE_FULL"))
    with pytest.raises(NotStored):
        await sqlite_store.write(audited)
    assert "full" in sqlite_store.health.problem()
    await until(lambda: not sqlite_store.health.problem())


async def test_what_was_missing_and_is_there_again_is_no_damage_any_more(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that was away for a moment, as while a backup is put back; the service is not to be stopped for it."""
    monkeypatch.setattr(writer, "PROBE_SECONDS", 0.2)

    def ordered(order: str) -> Callable[[Tx], object]:
        return lambda tx: tx.connection.exec_driver_sql(order)  # type: ignore[attr-defined] # the SQL store's own

    await store.write(ordered("ALTER TABLE documents RENAME TO elsewhere"))
    with pytest.raises(StoreUnavailable):
        await store.write(lambda tx: tx.notes.document(1))
    assert "documents" in store.health.problem()
    await store.write(audited)
    assert "documents" in store.health.problem(), "as long as it is away"
    await store.write(ordered("ALTER TABLE elsewhere RENAME TO documents"))
    await until(lambda: not store.health.problem())
    assert not store.health.damage


def noted(number: int) -> Callable[[Tx], None]:
    """Write into a table that nothing is the matter with."""
    return lambda tx: tx.notes.put("other", str(number))


@contextmanager
def said(level: str = "WARNING") -> Iterator[list[str]]:
    """Collect what is logged from a level on."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level=level)
    try:
        yield lines
    finally:
        logger.remove(sink)


async def ordered_by_the_owner(url: str, *orders: str) -> None:
    """Run statements as PostgreSQL's superuser."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=5) as connection:
        for order in orders:
            await connection.execute(order.encode())


async def test_a_right_that_is_taken_is_named_until_it_is_given_back(
    postgres_copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tables take commits meanwhile: they end nothing, and the log has one line for it, not one for each."""
    monkeypatch.setattr(writer, "PROBE_SECONDS", 0.1)
    name = urlsplit(postgres_copy_url).path.removeprefix("/")
    user = f"limited_{name}"
    rights = f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}"
    sequences = f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {user}"
    await ordered_by_the_owner(postgres_copy_url, f"CREATE ROLE {user} LOGIN", rights, sequences)
    try:
        async with open_store(postgres_copy_url.replace("://triage@", f"://{user}@")) as store:
            with said() as log:
                await ordered_by_the_owner(postgres_copy_url, f"REVOKE INSERT ON audit FROM {user}")
                for number in range(3):
                    with pytest.raises(NotStored, match="permission denied for table audit"):
                        await store.write(audited)
                    await store.write(noted(number))
                    await asyncio.sleep(0.3)
                    assert "permission denied for table audit" in store.health.problem()
                    assert GRANT in store.health.problem()
            assert len(log) == 1, log
            await ordered_by_the_owner(postgres_copy_url, rights)
            await until(lambda: not store.health.problem())
            assert await store.write(audited) == "pressed"
    finally:
        await ordered_by_the_owner(postgres_copy_url, f"DROP OWNED BY {user}", f"DROP ROLE {user}")


async def test_a_migration_beside_a_running_service_costs_no_read_and_no_write(
    postgres_copy_url: str,
) -> None:
    """Statements that the server has prepared say "cached plan must not change result type" after it."""

    def looked(tx: Tx) -> object:
        return tx.notes.get("a")

    async with open_store(postgres_copy_url) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
        for _ in range(40):
            await store.read(looked)
            await store.write(looked)
        await ordered_by_the_owner(
            postgres_copy_url, "ALTER TABLE notes ALTER COLUMN value TYPE varchar(900)"
        )
        for _ in range(8):
            assert await store.read(looked) == "b"
            assert await store.write(looked) == "b"
        assert not store.health.problem()


async def test_damage_of_one_table_is_one_line_of_the_log_while_others_take_commits(
    sqlite_url: str,
) -> None:
    """What commits says nothing of what is damaged."""
    damaged_table(sqlite_url, "timeline")
    async with open_store(sqlite_url) as store:
        with said("INFO") as log:
            for number in range(3):
                with pytest.raises(NotStored):
                    await store.write(lambda tx: tx.timeline.add(line(1, key="x")))
                await store.write(noted(number))
        assert len(log) == 1, log
        assert "doctor --repair" in log[0]


async def test_damage_beside_something_that_was_missing_stays(sqlite_store: SqlStore) -> None:
    """A page that is overwritten is not mended by a table that is there again."""
    for words, name in (
        ("database disk image is malformed", "SQLITE_CORRUPT"),
        ("no such table: x", "SQLITE_ERROR"),
    ):
        fault = sqlite3.DatabaseError(words)
        fault.sqlite_errorname = name
        sqlite_store.health.unreadable(sa.exc.DatabaseError("SELECT 1", None, fault))
    sqlite_store.health.whole_again()
    assert "malformed" in sqlite_store.health.problem()


def test_what_a_failing_disk_makes_sqlite_say_is_no_damage(sqlite_store: SqlStore) -> None:
    """It calls a page that it cannot read malformed; a page that is, is met again once the disk is well."""
    health = sqlite_store.health
    unread = sa.exc.OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))
    malformed = sa.exc.DatabaseError(
        "SELECT", None, sqlite3.DatabaseError("database disk image is malformed")
    )
    health.failed(unread)
    health.unreadable(malformed)
    assert "disk I/O error" in health.problem()
    assert "doctor" not in health.problem()
    health.committed()
    assert health.problem() == ""
    health.unreadable(malformed)
    assert "doctor --repair" in health.problem()


async def test_a_commit_that_wrote_nothing_says_nothing_of_the_disk(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that only looks commits on a full disk too; nothing is probed meanwhile."""
    monkeypatch.setattr(writer, "PROBE_SECONDS", 1e9)
    sqlite_store.health.failed(RuntimeError("full"))
    await sqlite_store.write(lambda tx: tx.signals.inbox(1))
    assert "full" in sqlite_store.health.problem()


def damaged_table(url: str, table: str) -> None:
    """Overwrite the first page of a table of a SQLite database that nobody has open."""
    path = Path(url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\x77" * size)


async def test_one_damaged_table_makes_the_store_unavailable_and_names_the_damage(sqlite_url: str) -> None:
    """It is nobody's mistake but the database's; what needs other tables still works."""
    damaged_table(sqlite_url, "incidents")
    async with open_store(sqlite_url) as store:
        with pytest.raises(StoreUnavailable):
            await store.read(lambda tx: tx.incidents.get(1))
        with pytest.raises(NotStored):
            await store.write(lambda tx: tx.incidents.get(1))
        assert "damaged" in store.health.problem()
        assert "doctor --repair" in store.health.problem()
        assert await store.keep([signal("kept")]) == 1
        assert "damaged" in store.health.problem()


@pytest.mark.parametrize(
    ("kind", "mine"),
    [
        (sa.exc.IntegrityError, True),
        (sa.exc.DataError, True),
        (sa.exc.ProgrammingError, True),
        (sa.exc.OperationalError, False),
        (sa.exc.InternalError, False),
        (sa.exc.InterfaceError, False),
        (sa.exc.DatabaseError, False),
    ],
)
def test_whose_fault_an_error_of_the_database_is(kind: type[sa.exc.DBAPIError], *, mine: bool) -> None:
    """What one unit does wrong is that unit's; everything else is the store's."""
    assert database_errors.unavailable(kind("statement", {}, Exception("x"))) is not mine
