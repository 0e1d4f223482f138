"""``hbot-triage audit``: the trail as text and JSON, and every way to tamper with it is found."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from unittest.mock import AsyncMock

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from bot.audit_anchor import AuditAnchor
from bot.command_line.table import app
from bot.commands.audit import PAGE
from bot.commands.audit_filter import TrailFilter, since_of
from bot.store import open_store
from tests.schema import with_schema
from triage.model import Json
from triage.ports.actions import Agent
from triage.ports.store import AuditEntry, Tx

pytestmark = pytest.mark.slow

AT = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)


def run(*arguments: str) -> Result:
    """Run a command line."""
    return CliRunner().invoke(app, arguments)


def write_trail(database: Path, lines: int = 3, *, key: bytes = b"") -> None:
    """Let a store write lines of the audit trail."""

    def work(tx: Tx) -> None:
        for number in range(1, lines + 1):
            at = AT + timedelta(seconds=number)
            detail = {"reason": f"because {number}"} if number > 1 else {}
            tx.audit.append(at=at, actor="U0ANA", event="acknowledged", target=f"INC-{number}", detail=detail)

    async def store() -> None:
        async with open_store(with_schema(database), audit_key=key) as opened:
            await opened.write(work)

    asyncio.run(store())


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a database with three lines of the trail, and the setting that names it."""
    file = tmp_path / "triage.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_DESK", raising=False)
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{file}")
    write_trail(file)
    return file


def tamper(database: Path, statement: str) -> None:
    """Change the file behind the service's back."""
    connection = sqlite3.connect(database)
    with connection:
        for trigger in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f'drop trigger "{trigger[0]}"')
        assert connection.execute(statement).rowcount > 0
    connection.close()


@pytest.mark.usefixtures("database")
def test_the_trail_is_printed_oldest_first() -> None:
    """Number, time, who, what, to what, and the details."""
    result = run("audit")
    assert result.exit_code == 0
    first, second, _ = result.stdout.splitlines()
    assert first.split() == ["1", "2026-02-21T09:30:01.000+00:00", "U0ANA", "acknowledged", "INC-1"]
    assert second.endswith('{"reason": "because 2"}')


@pytest.mark.usefixtures("database")
def test_the_trail_as_json_is_one_object_a_line() -> None:
    """Each line holds the digest of the one before, so that anybody can check the chain."""
    lines = [json.loads(line) for line in run("audit", "--json").stdout.splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert [line["previous"] for line in lines[1:]] == [line["digest"] for line in lines[:-1]]
    assert lines[2]["detail"] == {"reason": "because 3"}


@pytest.mark.usefixtures("database")
def test_a_whole_trail_is_said_to_be_whole() -> None:
    """Exit code 0, for a cron job."""
    result = run("audit", "--verify")
    whole, head, note = result.stdout.splitlines()
    assert (result.exit_code, whole) == (0, "The audit trail is whole.")
    assert head.startswith("Its head is 3:")
    assert "not signed" in note


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update audit set actor = 'U0BEN' where seq = 2", "line 2 was changed after it was written"),
        ("update audit set detail = '{}' where seq = 2", "line 2 was changed after it was written"),
        ("update audit set target = 'INC-9' where seq = 3", "line 3 was changed after it was written"),
        ("delete from audit where seq = 2", "line 2 is missing: line 3 follows line 1"),
        ("delete from audit where seq = 1", "line 1 is missing: line 2 follows line 0"),
        ("update audit set seq = seq + 10 where seq = 3", "line 3 is missing: line 13 follows line 2"),
        ("update audit set detail = '{no json' where seq = 2", "line 2 was changed after it was written"),
        ("update audit set detail = '[1]' where seq = 2", "line 2 was changed after it was written"),
        (
            "update audit set at = 'rubbish' where seq = 2",
            "a line behind line 0 cannot be read: it was changed after it was written",
        ),
        (
            "insert into audit select -7, at, actor, event, target, detail, previous, digest from audit where seq = 1",
            "line -7 stands before the first: it was put there",
        ),
        (
            "update audit set previous = 'forged' where seq = 2",
            "line 2 does not follow the line before it",
        ),
    ],
)
def test_tampering_is_found_and_its_line_named(statement: str, says: str, database: Path) -> None:
    """A changed, a lost and a moved line; exit code 1."""
    tamper(database, statement)
    result = run("audit", "--verify")
    assert result.exit_code == 1
    assert f"broken: {says}" in result.stderr.splitlines()
    assert "whole" not in result.output


def test_a_long_trail_is_checked_across_its_pages(database: Path) -> None:
    """What joins two pages is checked as well: the last line of the first page."""
    assert PAGE == 1000
    write_trail(database, PAGE + 5)
    assert run("audit", "--verify").exit_code == 0
    assert len(run("audit").stdout.splitlines()) == PAGE + 8
    tamper(database, "update audit set digest = 'forged' where seq = 1000")
    broken = run("audit", "--verify").stderr.splitlines()
    assert broken == [
        f"broken: line {PAGE} was changed after it was written",
        f"broken: line {PAGE + 1} does not follow the line before it",
    ]


@pytest.mark.parametrize("arguments", [["audit"], ["audit", "--verify"]])
def test_a_database_that_is_not_there_is_no_whole_trail(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking in the wrong folder must not be answered with "whole", nor leave an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_DATABASE_URL", raising=False)
    result = run(*arguments)
    assert result.exit_code == 1
    assert "there is no database at TRIAGE_DATABASE_URL" in result.stderr
    assert not (tmp_path / "var").exists()


def head_of(result_text: str) -> str:
    """Return the head that a verification says."""
    return next(line.removeprefix("Its head is ") for line in result_text.splitlines() if "head is" in line)


def test_a_head_that_was_written_down_shows_a_cut_tail_and_a_trail_written_anew(database: Path) -> None:
    """Both chain well by themselves; what is newer than the head is said and is no fault."""
    head = head_of(run("audit", "--verify").stdout)
    assert run("audit", "--verify", "--head", head).exit_code == 0
    write_trail(database, 2)
    newer = run("audit", "--verify", "--head", head)
    assert (newer.exit_code, "note: 2 lines are newer than line 3" in newer.stdout) == (0, True)
    tamper(database, "delete from audit where seq > 2")
    cut = run("audit", "--verify", "--head", head)
    assert cut.exit_code == 1
    assert "lines 3 to 3 are missing" in cut.stderr
    write_trail(database, 3)
    anew = run("audit", "--verify", "--head", head)
    assert anew.exit_code == 1
    assert "line 3 is another one than it was" in anew.stderr
    assert run("audit", "--verify", "--head", "3").exit_code == 2


def test_with_a_key_nobody_else_can_write_lines_that_verify(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines were chained without it, and so it is said."""
    monkeypatch.setenv("TRIAGE_AUDIT_KEY", "k" * 32)
    result = run("audit", "--verify")
    assert result.exit_code == 1
    assert "broken: 3 of 3 lines do not fit: the trail was written without a key" in result.stderr
    assert "not signed" not in result.output
    monkeypatch.setenv("TRIAGE_AUDIT_KEY", "short")
    assert run("audit", "--verify").exit_code != 0
    del database


def test_another_key_is_told_from_a_changed_trail(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says which is likely and what to do, and not a thousand that each line was changed."""
    database.unlink()
    write_trail(database, 4, key=b"k" * 32)

    def broken(key: str) -> str:
        monkeypatch.setenv("TRIAGE_AUDIT_KEY", key)
        result = run("audit", "--verify")
        assert result.exit_code == 1
        return result.output

    assert "4 of 4 lines do not fit: no line fits the key, and all of them follow" in broken("x" * 32)
    assert "most likely the trail is signed, and no key is set" in broken("")
    write_trail(database, 2, key=b"x" * 32)
    assert "every line before line 5 fits, none from there on does" in broken("k" * 32)
    tamper(database, "update audit set actor = 'U0BEN' where seq = 2")
    both = broken("k" * 32)
    assert "line 2 was changed after it was written" in both
    assert "the key is the right one: the trail was changed" in both
    assert "most likely" not in both


@pytest.mark.usefixtures("database")
def test_lines_can_be_picked_by_who_what_and_where() -> None:
    """Upper and lower case are one."""
    assert len(run("audit", "--only", "u0ana").stdout.splitlines()) == 3
    assert run("audit", "--only", "nobody at all").stdout == ""
    assert len(run("audit", "--who", "U0ANA", "--last", "2").stdout.splitlines()) == 2
    assert run("audit", "--event", "nothing of the kind").stdout == ""
    assert run("audit", "--since", "2100-01-01").stdout == ""
    assert len(run("audit", "--since", "2000-01-01T00:00").stdout.splitlines()) == len(
        run("audit").stdout.splitlines()
    )
    refused = run("audit", "--since", "yesterday")
    assert refused.exit_code != 0
    assert "is no time; write 24h, 7d or 2026-02-21T00:00" in refused.output


def test_an_incidents_lines_are_its_own_and_those_of_its_actions() -> None:
    """INC-4 is not INC-42; what was done by an action names the incident in its details."""
    at = datetime(2026, 2, 20, 12, tzinfo=UTC)

    def line(target: str, **detail: Json) -> AuditEntry:
        return AuditEntry(
            seq=1, at=at, actor="U0ANA", event="x", target=target, detail=detail, previous="", digest=""
        )

    wanted = TrailFilter(about="inc-4")
    assert wanted.lets(line("INC-4"), "@ana")
    assert wanted.lets(line("restart bot1", incident="INC-4"), "@ana")
    assert not wanted.lets(line("INC-42"), "@ana")
    assert TrailFilter(about="bot1", who="Ana").lets(line("restart bot1"), "@ana")
    assert since_of("2h", at) == at - timedelta(hours=2)
    assert since_of("2026-02-20T11:00+02:00", at) == at - timedelta(hours=3)


def test_a_loss_that_somebody_looked_at_is_written_down_and_told_no_more(database: Path) -> None:
    """What the service saw last is known to the verification too."""

    async def serve() -> str:
        async with open_store(with_schema(database)) as store:
            anchor = AuditAnchor(store, cast("Agent", AsyncMock()), CollectorRegistry())
            await anchor.run()
            return anchor.trouble

    assert asyncio.run(serve()) == ""
    assert run("audit", "--accept", "ana").exit_code == 1, "nothing is wrong"
    tamper(database, "delete from audit")
    assert "has none" in asyncio.run(serve())
    assert "every line was deleted" in run("audit", "--verify").stderr
    assert "accepted" in run("audit", "--accept", "ana").stdout
    assert asyncio.run(serve()) == ""
    assert "ana" in run("audit", "--only", "loss_accepted").stdout
    assert run("audit", "--verify").exit_code == 0
    assert run("audit", "--verify", "--head", "0:" + "0" * 64).exit_code == 0, "the head of an empty trail"
