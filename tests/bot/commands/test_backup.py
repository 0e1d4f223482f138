"""The commands of docs/operations.md, carried out: a backup while the service writes, and the restore of it."""

import asyncio
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.command_line.table import app
from bot.store import open_store
from triage.ports.store import Tx

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"
AT = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)


def documented(begins: str, url: str = "") -> list[str]:
    """Return the command that begins so, as the page has it."""
    found = re.search(rf"`({begins} [^`]+)`", DOCS.read_text(encoding="utf-8"))
    assert found is not None
    return shlex.split(found[1].replace("$TRIAGE_DATABASE_URL", url))


async def lines(url: str, first: int, last: int, then: list[str] | None = None) -> None:
    """Let a store write lines of the audit trail; ``then`` is run while it is open."""

    def append(number: int) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            at = AT + timedelta(seconds=number)
            tx.audit.append(at=at, actor="U0ANA", event="acknowledged", target=f"INC-{number}", detail={})

        return work

    async with open_store(url) as store:
        for number in range(first, last + 1):
            await store.write(append(number))
        if then is not None:
            await asyncio.to_thread(subprocess.run, then, check=True, timeout=30, capture_output=True)


def test_a_backup_of_the_running_service_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[..., Path]
) -> None:
    """What was committed is in it; the trail is proven; what came after is told to be missing, by its head."""
    require("sqlite3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_DESK", raising=False)
    url = f"sqlite:///{tmp_path}/var/triage.db"
    monkeypatch.setenv("TRIAGE_DATABASE_URL", url)
    (tmp_path / "var").mkdir()
    asyncio.run(lines(url, 1, 3, documented("sqlite3")))
    asyncio.run(lines(url, 4, 5))
    head = head_of_five_lines()

    for file in (tmp_path / "var").glob("triage.db*"):  # stop, put the database back, start
        file.unlink()
    shutil.copy(tmp_path / "triage-backup.db", tmp_path / "var" / "triage.db")
    asyncio.run(lines(url, 1, 0))
    is_restored(head)


def test_a_dump_of_postgresql_is_restored_over_what_came_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_copy_url: str
) -> None:
    """Taken while the service writes; put back into the database that went on."""
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        pytest.skip("PostgreSQL's client programs are not installed (postgresql-client)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIAGE_DESK", raising=False)
    monkeypatch.setenv("TRIAGE_DATABASE_URL", postgres_copy_url)
    asyncio.run(lines(postgres_copy_url, 1, 3, documented("pg_dump", postgres_copy_url)))
    asyncio.run(lines(postgres_copy_url, 4, 5))
    head = head_of_five_lines()

    restore = documented("pg_restore", postgres_copy_url)
    subprocess.run(restore, check=True, timeout=60, capture_output=True)
    asyncio.run(lines(postgres_copy_url, 1, 0))
    is_restored(head)
    asyncio.run(lines(postgres_copy_url, 6, 6))
    assert CliRunner().invoke(app, ["audit", "--verify"]).exit_code == 0, "it goes on from there"


def head_of_five_lines() -> str:
    """Return the head of the trail, with all lines written."""
    verified = CliRunner().invoke(app, ["audit", "--verify"])
    head = re.search(r"\b5:[0-9a-f]{12,64}", verified.output)
    assert head is not None, verified.output
    return head[0]


def is_restored(head: str) -> None:
    """Hold the trail to what was in the copy, and to what it says of the lines since."""
    assert CliRunner().invoke(app, ["audit", "--verify"]).exit_code == 0
    compared = CliRunner().invoke(app, ["audit", "--verify", "--head", head])
    assert compared.exit_code == 1
    assert "missing" in compared.output, compared.output
    text = CliRunner().invoke(app, ["audit"]).output
    assert "INC-3" in text
    assert "INC-4" not in text
