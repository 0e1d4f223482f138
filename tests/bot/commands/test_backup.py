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

from bot.cli import app
from bot.store import open_store
from triage.ports.store import Tx

DOCS = Path(__file__).parents[3] / "docs" / "operations.md"
AT = datetime(2026, 2, 21, 9, 30, tzinfo=UTC)


def backup_command() -> list[str]:
    """Return the command for SQLite as the page has it."""
    found = re.search(r"^SQLite: `([^`]+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])


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
    asyncio.run(lines(url, 1, 3, backup_command()))
    asyncio.run(lines(url, 4, 5))
    verified = CliRunner().invoke(app, ["audit", "--verify"])
    head = re.search(r"\b5:[0-9a-f]{12,64}", verified.output)
    assert head is not None, verified.output

    for file in (tmp_path / "var").glob("triage.db*"):  # stop, put the database back, start
        file.unlink()
    shutil.copy(tmp_path / "triage-backup.db", tmp_path / "var" / "triage.db")
    asyncio.run(lines(url, 1, 0))
    assert CliRunner().invoke(app, ["audit", "--verify"]).exit_code == 0
    compared = CliRunner().invoke(app, ["audit", "--verify", "--head", head[0]])
    assert compared.exit_code == 1
    assert "missing" in compared.output, compared.output
    text = CliRunner().invoke(app, ["audit"]).output
    assert "INC-3" in text
    assert "INC-4" not in text
